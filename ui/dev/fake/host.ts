/** A made-up lab behind the same seam as the real one. */
import type {
  Command,
  Event,
  Frame,
  LoadSpec,
  MarkKind,
  Problem,
  Reply,
  ShownCommand,
  Snapshot,
  WatchSet,
} from '$shared/api/lab'
import type { Host } from '$shared/host/host'

import { dashboards, diagrams } from './content'
import { FakeCourse } from './courses'
import { FakeDocker } from './docker'
import { FakeFaults } from './faults'
import { arrowFrames, panelFrame } from './series'
import { references, terms } from './terms'
import { commandOf, type Story, World } from './world'

const DEFAULT_PUT: LoadSpec = {
  workload: {
    kind: 'put',
    keySize: 8,
    valSize: 8,
    keySpaceSize: 100_000,
    sequentialKeys: true,
    compactIntervalS: null,
    compactIndexDelta: 1000,
  },
  clients: 1000,
  conns: 1000,
  total: 100_000_000,
  rate: null,
}
const DEFAULT_RANGE: LoadSpec = {
  workload: { kind: 'range', key: '/', rangeEnd: null, serializable: false },
  clients: 100,
  conns: 100,
  total: 100_000,
  rate: null,
}
const NO_CLIENTS: Problem = {
  code: 'bad-load',
  sentence: '--clients: must be at least 1, not 0.',
  next: 'Change that number and start again.',
  detail: '',
  member: null,
  log: [],
}
const LOG_LINES = 40

export class FakeHost implements Host {
  readonly #world: World
  readonly #faults: FakeFaults
  readonly #course: FakeCourse
  readonly #docker: FakeDocker
  #watch: WatchSet = { panels: [], diagrams: [], rangeS: 120, maxPoints: 300 }
  #shown: ShownCommand[] = []
  #tell: (event: Event) => void = () => undefined
  #keys = new Map<string, string>([['greeting', 'hello']])

  constructor(story: Story) {
    this.#world = new World(story)
    this.#faults = new FakeFaults(this.#world)
    this.#course = new FakeCourse(story, (course) => this.#tell({ type: 'course', course }))
    this.#docker = new FakeDocker(story, (event) => this.#tell(event))
    if (Number.isFinite(this.#world.putFromS)) this.#world.putSpec = DEFAULT_PUT
    if (Number.isFinite(this.#world.rangeFromS)) this.#world.rangeSpec = DEFAULT_RANGE
    if (Number.isFinite(this.#world.runningFromS)) {
      this.#show('etcd-labctl', `etcd-labctl up --runtime ${this.#world.runtime} --etcd 3.5.9`, 'Start the cluster')
      this.#show(
        'etcdctl',
        'etcdctl --endpoints 127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 endpoint status -w table',
        'Ask each member how it is',
      )
    }
    if (story === 'slow') {
      for (const port of [11180, 21180, 31180]) {
        this.#show('curl', `curl http://127.0.0.1:${port}/walBeforeFdatasync -XPUT -d'sleep(100)'`, 'Slow the disk')
      }
    }
    for (const spec of [this.#world.putSpec, this.#world.rangeSpec])
      if (spec) this.#show('etcd-labctl', commandOf(spec), 'Start a load')
  }

  async subscribe(onEvent: (event: Event) => void): Promise<void> {
    this.#tell = onEvent
    setInterval(() => this.#tick(), 1000)
  }

  /** There is no browser to be opened from a page in one. */
  async open(): Promise<boolean> {
    return false
  }

  async send(command: Command): Promise<Reply> {
    const world = this.#world
    const now = Math.floor(Date.now() / 1000)
    if (this.#course.take(command)) return { type: 'done' }
    const dockers = await this.#docker.take(command)
    if (dockers) return dockers
    switch (command.type) {
      case 'scenarios':
        return { type: 'scenarios', scenarios: this.#course.scenarios }
      case 'snapshot':
        return { type: 'snapshot', snapshot: this.#snapshot(now) }
      case 'dashboards':
        return { type: 'dashboards', dashboards }
      case 'diagrams':
        return { type: 'diagrams', diagrams }
      case 'watch':
        this.#watch = command.set
        if (world.phase(now).name === 'running') this.#tell({ type: 'frame', frame: this.#frame(now) })
        return { type: 'done' }
      case 'start':
        world.runningFromS = now
        world.topology = command.options.topology
        world.runtime = command.options.runtime
        this.#show(
          'etcd-labctl',
          `etcd-labctl up --runtime ${world.runtime}${command.options.ports === 'auto' ? ' --ports auto' : ''}`,
          'Start the cluster',
        )
        this.#tell({ type: 'phase', phase: { name: 'running', sinceMs: now * 1000 } })
        return { type: 'done' }
      case 'stop':
        world.runningFromS = Infinity
        this.#tell({ type: 'phase', phase: { name: 'stopped' } })
        return { type: 'done' }
      case 'actOnMember':
        if (command.action === 'resume') world.held.delete(command.member)
        else world.held.set(command.member, command.action === 'pause' ? 'paused' : 'exited')
        return { type: 'done' }
      case 'restartMember':
        world.held.delete(command.member)
        return { type: 'done' }
      case 'startLoad': {
        const put = command.spec.workload.kind === 'put'
        if (put) [world.putSpec, world.putFromS, world.putToS] = [command.spec, now, Infinity]
        else [world.rangeSpec, world.rangeFromS, world.rangeToS] = [command.spec, now, Infinity]
        this.#show('etcd-labctl', commandOf(command.spec), 'Start a load')
        return { type: 'load', id: put ? 1 : 2 }
      }
      case 'stopLoad':
        if (command.id === 1) world.putToS = now
        else world.rangeToS = now
        return { type: 'done' }
      case 'loadCommand':
        return command.spec.clients > 0
          ? { type: 'text', text: commandOf(command.spec) }
          : { type: 'problem', problem: NO_CLIENTS }
      case 'log':
        return {
          type: 'log',
          file: `/home/you/.local/share/etcd-lab/logs/${command.member}.log`,
          lines: Array.from({ length: LOG_LINES }, (_, at) => logLine(now - LOG_LINES + at, at)),
        }
      case 'put':
        this.#keys.set(command.key, command.value)
        this.#show('etcdctl', `etcdctl --endpoints 127.0.0.1:2379 put ${command.key} ${command.value}`, 'Put a key')
        return { type: 'revision', revision: world.index(now, 0) }
      case 'get':
        return { type: 'value', value: this.#keys.get(command.key) ?? null, revision: world.index(now, 0) }
      case 'delete':
        this.#mark('operation', 'delete')
        return { type: 'deleted', deleted: 98_214, revision: world.index(now, 0) }
      case 'failpoints':
        return { type: 'failpoints', failpoints: this.#faults.all() }
      case 'setFailpoint': {
        const problem = this.#faults.set(command.members, command.failpoint, command.term)
        if (problem) return { type: 'problem', problem }
        return this.#changed(now, `${command.failpoint} ${command.term}`)
      }
      case 'clearFailpoints':
        this.#faults.clear(command.members, command.failpoint)
        return this.#changed(now, 'cleared')
      case 'setLinks':
        this.#faults.shape(command.from, command.to, command.shape)
        return this.#changed(now, command.shape.cut ? 'links cut' : `links +${command.shape.delayMs} ms`)
      case 'healLinks':
        this.#faults.heal()
        return this.#changed(now, 'links healed')
      case 'glossary':
        return { type: 'glossary', terms, references }
      case 'compact':
        this.#mark('operation', 'compact')
        return { type: 'revision', revision: command.revision ?? world.index(now, 0) }
      case 'alarms':
      case 'disarm':
        return { type: 'alarms', alarms: world.cluster(now)?.alarms ?? [] }
      case 'defragment':
        return {
          type: 'problem',
          problem: {
            code: 'member-silent',
            sentence: `${command.member} did not answer in 10 s.`,
            next: 'Wait for it, or restart it.',
            detail: 'context deadline exceeded',
            member: command.member,
            log: [],
          },
        }
      default:
        return { type: 'done' }
    }
  }

  #mark(kind: MarkKind, text: string): void {
    this.#tell({ type: 'mark', mark: this.#faults.mark(kind, text) })
  }

  #changed(now: number, text: string): Reply {
    this.#mark('fault', text)
    this.#tell({ type: 'faults', faults: this.#faults.view(now) })
    return { type: 'done' }
  }

  #show(kind: ShownCommand['kind'], text: string, why: string): void {
    const command = { id: this.#shown.length + 1, atMs: Date.now(), kind, text, why }
    this.#shown.push(command)
    this.#tell({ type: 'shown', command })
  }

  #snapshot(now: number): Snapshot {
    const world = this.#world
    return {
      lab: {
        id: 'lab-7f3a',
        version: '0.1.0',
        folder: '/home/you/.local/share/etcd-lab',
        etcdVersions: ['3.5.9', '3.7.3'],
        defaultEtcdVersion: '3.5.9',
        serve: null,
        pid: 4242,
        host: world.story === 'held' ? 'terminal' : 'app',
      },
      phase: world.phase(now),
      cluster: world.cluster(now),
      loads: [
        ...(world.putSpec ? [world.load('put', world.putSpec, now, true)] : []),
        ...(world.rangeSpec ? [world.load('range', world.rangeSpec, now, true)] : []),
      ],
      faults: this.#faults.view(now),
      marks: this.#faults.marks,
      course: this.#course.course,
      imageWork: this.#docker.work,
      observers: this.#docker.observers,
      shown: this.#shown,
      problem:
        world.story === 'dead'
          ? {
              code: 'member-exited',
              sentence: 'etcd-3 ended by itself.',
              next: 'The other two go on; restart it from its card.',
              detail: 'signal: 9 (SIGKILL)',
              member: 'etcd-3',
              log: [logLine(now, 3)],
            }
          : null,
    }
  }

  #frame(now: number): Frame {
    const times = Array.from({ length: this.#watch.rangeS + 1 }, (_, at) => now - this.#watch.rangeS + at)
    return {
      atS: now,
      times,
      panels: this.#watch.panels.flatMap((ref) => {
        const panel = dashboards
          .find((each) => each.uid === ref.dashboard)
          ?.rows.flatMap((row) => row.panels)
          .find((each) => each.id === ref.panel)
        return panel ? [panelFrame(this.#world, ref, panel, times)] : []
      }),
      diagrams: this.#watch.diagrams.flatMap((id) => {
        const diagram = diagrams.find((each) => each.id === id)
        return diagram ? [{ diagram: id, arrows: arrowFrames(this.#world, diagram, now) }] : []
      }),
    }
  }

  #tick(): void {
    const world = this.#world
    const now = Math.floor(Date.now() / 1000)
    if (world.story === 'stale' && now > world.bornS + 1) return
    const phase = world.phase(now)
    if (world.story === 'starting') this.#tell({ type: 'phase', phase })
    const cluster = world.cluster(now)
    if (cluster) this.#tell({ type: 'cluster', cluster })
    if (phase.name !== 'running') return
    this.#tell({ type: 'faults', faults: this.#faults.view(now) })
    if (world.putSpec) this.#tell({ type: 'load', load: world.load('put', world.putSpec, now, false) })
    if (world.rangeSpec) this.#tell({ type: 'load', load: world.load('range', world.rangeSpec, now, false) })
    this.#tell({ type: 'frame', frame: this.#frame(now) })
  }
}

function logLine(atS: number, at: number): string {
  const [level, msg, rest] = (
    [
      [
        'info',
        'established TCP streaming connection with remote peer',
        { 'stream-reader-type': 'stream Message', 'remote-peer-id': 'd282ac2ce600c1ce' },
      ],
      ['info', 'applied entries', { 'applied-index': 1_204_000 + at }],
      [
        'warn',
        'apply request took too long',
        { took: '112.4ms', 'expected-duration': '100ms', prefix: 'read-only range ' },
      ],
      ['info', 'saved snapshot', { 'snapshot-index': 1_200_012 }],
    ] as const
  )[at % 4] as readonly [string, string, object]
  return JSON.stringify({
    level,
    ts: new Date(atS * 1000).toISOString(),
    caller: 'etcdserver/server.go:1',
    msg,
    ...rest,
  })
}
