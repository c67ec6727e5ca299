/** A made-up engine: its images, what is done with them, and Prometheus and Grafana. */
import type { Command, DockerView, Event, ImageWork, ObserversView, Problem, Reply } from '$shared/api/lab'

const REFERENCE = (version: string) => `etcd-metrics-lab/etcd:v${version}`
const problem = (code: string, sentence: string, next: string, detail = ''): Problem => ({
  code,
  sentence,
  next,
  detail,
  member: null,
  log: [],
})

export const NOT_RUNNING = problem(
  'docker-not-running',
  'The Docker engine at unix:///var/run/docker.sock does not run.',
  'Start it (`sudo systemctl start docker`, or open Docker Desktop), or start without Docker: `--runtime native`, or Native in the window.',
  'connect /var/run/docker.sock: Connection refused (os error 111)',
)
const NOT_FETCHED = problem(
  'docker-image-unreachable',
  'grafana/grafana:11.6.0 is not in the engine and could not be fetched.',
  'Connect this machine to the network, or carry the image here: `docker save grafana/grafana:11.6.0 -o FILE` where it is, `docker load -i FILE` here.',
  'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
)
const ON: ObserversView = {
  name: 'on',
  prometheusUrl: 'http://127.0.0.1:9090',
  grafanaUrl: 'http://127.0.0.1:3000',
  user: 'admin',
  password: 'foobar',
}
const BUILDING: ImageWork = {
  kind: 'build',
  subject: REFERENCE('3.7.3'),
  step: 'Step 4/9 : COPY etcdctl /usr/local/bin/etcdctl',
  done: 0.44,
}
const SAVING: ImageWork = {
  kind: 'save',
  subject: '/home/you/etcd-metrics-lab-images.tar',
  step: '41 MB written',
  done: null,
}
const WORK: Partial<Record<string, ImageWork>> = {
  'docker-building': BUILDING,
  'docker-saving': SAVING,
  'docker-preparing': { ...BUILDING, subject: REFERENCE('3.5.9') },
}
const OBSERVERS: Partial<Record<string, ObserversView>> = {
  'observers-starting': { name: 'starting', doing: 'Waiting until Grafana answers' },
  'observers-on': ON,
  'observers-failed': { name: 'failed', problem: NOT_FETCHED },
}
const WORK_MS = 4000

export class FakeDocker {
  work: ImageWork | null
  observers: ObserversView
  readonly #story: string
  readonly #tell: (event: Event) => void
  #built = false

  constructor(story: string, tell: (event: Event) => void) {
    this.#story = story
    this.#tell = tell
    this.work = WORK[story] ?? null
    this.observers = OBSERVERS[story] ?? { name: 'off' }
  }

  /** Answers what is Docker's; nothing to anything else. */
  async take(command: Command): Promise<Reply | null> {
    switch (command.type) {
      case 'docker':
        return { type: 'docker', docker: this.#view() }
      case 'buildImage':
        await this.#carryOut({ ...BUILDING, subject: REFERENCE(command.etcdVersion ?? '3.5.9') })
        this.#built = true
        return { type: 'done' }
      case 'saveImages':
        await this.#carryOut({ ...SAVING, subject: command.file })
        return { type: 'done' }
      case 'loadImages':
        return {
          type: 'problem',
          problem: problem(
            'docker-no-archive',
            `${command.file} holds no images.`,
            'Name a file that `etcd-labctl image save` or `docker save` wrote.',
          ),
        }
      case 'startObservers':
        this.#observe({ name: 'starting', doing: 'Starting Prometheus' })
        await later(WORK_MS)
        this.#observe(ON)
        return { type: 'done' }
      case 'stopObservers':
        this.#observe({ name: 'off' })
        return { type: 'done' }
      default:
        return null
    }
  }

  #view(): DockerView {
    if (this.#story === 'docker-none' || this.#story === 'docker-failed')
      return { engine: null, problem: NOT_RUNNING, images: [] }
    const present = (current: boolean) => ({ id: 'sha256:9d1c5bd7a8f2', sizeBytes: 78_400_000, current })
    return {
      engine: {
        endpoint: 'unix:///var/run/docker.sock',
        product: 'Docker Engine',
        version: '20.10.24',
        apiVersion: '1.41',
        platform: 'linux/amd64',
      },
      problem: null,
      images: [
        {
          etcdVersion: '3.5.9',
          reference: REFERENCE('3.5.9'),
          present: present(this.#story !== 'docker'),
          buildable: true,
        },
        {
          etcdVersion: '3.7.3',
          reference: REFERENCE('3.7.3'),
          present: this.#built ? present(true) : null,
          buildable: true,
        },
      ],
    }
  }

  async #carryOut(work: ImageWork): Promise<void> {
    for (const done of [0.1, 0.4, 0.8]) {
      this.#at({ ...work, done: work.done === null ? null : done })
      await later(WORK_MS / 3)
    }
    this.#at(null)
  }

  #at(work: ImageWork | null): void {
    this.work = work
    this.#tell({ type: 'imageWork', work })
  }

  #observe(observers: ObserversView): void {
    this.observers = observers
    this.#tell({ type: 'observers', observers })
  }
}

const later = (ms: number) => new Promise((done) => setTimeout(done, ms))
