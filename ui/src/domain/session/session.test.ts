import { describe, expect, it, vi } from 'vitest'

import type { ClusterView, Command, Event, LoadView, Reply, Snapshot } from '$shared/api/lab'
import type { Host } from '$shared/host/host'

import { COURSE, RECORD } from '$domain/course/fixtures'

import { StartChoices } from './choices.svelte'
import { ClusterControl } from './control.svelte'
import { Session, withHistory } from './session.svelte'

const SNAPSHOT: Snapshot = {
  lab: {
    id: 'lab-1',
    version: '0.1.0',
    folder: '/tmp/lab',
    etcdVersions: ['3.5.9'],
    defaultEtcdVersion: '3.5.9',
    serve: null,
    pid: 1,
    host: 'app',
  },
  phase: { name: 'running', sinceMs: 1 },
  cluster: null,
  loads: [],
  faults: { failpoints: [], links: null },
  marks: [],
  course: null,
  imageWork: null,
  observers: { name: 'off' },
  shown: [],
  problem: null,
}

const IN_DOCKER: ClusterView = {
  runtime: 'docker',
  topology: 'etcd',
  etcdVersion: '3.5.9',
  quotaBytes: 1,
  heartbeatMs: 100,
  electionMs: 1000,
  members: [],
  alarms: [],
}

const FRAME = { atS: 9, times: [8, 9], panels: [], diagrams: [] }
const PROBLEM = { code: 'x', sentence: 'X.', next: 'Y.', detail: '', member: null, log: [] }

class ScriptedHost implements Host {
  readonly sent: Command[] = []
  tell: (event: Event) => void = () => undefined
  snapshot = SNAPSHOT

  async send(command: Command): Promise<Reply> {
    this.sent.push(command)
    switch (command.type) {
      case 'snapshot':
        return { type: 'snapshot', snapshot: this.snapshot }
      case 'dashboards':
        return { type: 'dashboards', dashboards: [] }
      case 'diagrams':
        return { type: 'diagrams', diagrams: [] }
      case 'scenarios':
        return { type: 'scenarios', scenarios: [] }
      default:
        return { type: 'done' }
    }
  }

  async subscribe(onEvent: (event: Event) => void): Promise<void> {
    this.tell = onEvent
  }

  async open(): Promise<boolean> {
    return false
  }

  count(type: Command['type']): number {
    return this.sent.filter((command) => command.type === type).length
  }
}

async function connected() {
  const host = new ScriptedHost()
  const session = new Session(host, () => 5_000)
  await session.connect()
  return { host, session }
}

const point = (atS: number) => ({ atS, rate: 1, errorRate: 0, p50S: 1, p90S: 1, p99S: 1, maxS: 1 })

const load = (atS: number, history: LoadView['history'] = []): LoadView => ({
  id: 1,
  spec: {
    workload: { kind: 'range', key: '/', rangeEnd: null, serializable: false },
    clients: 1,
    conns: 1,
    total: 1,
    rate: null,
  },
  command: '',
  state: { name: 'running' },
  startedMs: 0,
  elapsedS: 1,
  done: 1,
  now: point(atS),
  overall: null,
  history,
  members: [],
  errors: [],
})

describe('the session', () => {
  it('is live once it has the snapshot', async () => {
    const { session, host } = await connected()
    expect(session.link).toBe('live')
    expect(session.phase.name).toBe('running')
    expect(host.sent.map((command) => command.type)).toEqual(['snapshot', 'dashboards', 'diagrams', 'scenarios'])
  })

  it('asks for the snapshot again when it fell behind', async () => {
    const { host, session } = await connected()
    host.snapshot = { ...SNAPSHOT, phase: { name: 'stopped' } }
    host.tell({ type: 'lagged' })
    await Promise.resolve()
    await Promise.resolve()
    expect(host.count('snapshot')).toBe(2)
    expect(session.phase.name).toBe('stopped')
  })

  it('says so when nobody holds the lab', async () => {
    const host = new ScriptedHost()
    host.subscribe = () => Promise.reject(new Error('no such command'))
    const session = new Session(host)
    await session.connect()
    expect(session.link).toBe('gone')
    expect(session.problem?.code).toBe('host-gone')
    expect(session.problem?.detail).toBe('no such command')
  })

  it('keeps the history that a load event leaves out', async () => {
    const { host, session } = await connected()
    host.tell({ type: 'load', load: load(1) })
    host.tell({ type: 'load', load: load(2) })
    host.tell({ type: 'load', load: load(2) })
    expect(session.loads.get(1)?.history.map((each) => each.atS)).toEqual([1, 2])
    host.tell({ type: 'loadForgotten', id: 1 })
    expect(session.loads.size).toBe(0)
  })

  it('draws nothing of the last cluster once another starts', async () => {
    const { host, session } = await connected()
    host.tell({ type: 'frame', frame: FRAME })
    expect(session.frame.atS).toBe(9)
    expect(session.frameCameMs).toBe(5_000)
    host.tell({ type: 'phase', phase: { name: 'starting', sinceMs: 1, preparing: null, waiting: [] } })
    expect(session.frame.atS).toBe(0)
    expect(session.frameCameMs).toBe(0)
  })

  it('draws no frame of a cluster that has stopped', async () => {
    const { host, session } = await connected()
    host.tell({ type: 'phase', phase: { name: 'stopping' } })
    host.tell({ type: 'frame', frame: FRAME })
    expect(session.frame.atS).toBe(0)
    expect(session.frameCameMs).toBe(0)
  })

  it('draws nothing of a lab that another has taken the place of, nor of a cluster that stopped unheard', async () => {
    for (const snapshot of [
      { ...SNAPSHOT, lab: { ...SNAPSHOT.lab, id: 'lab-2' } },
      { ...SNAPSHOT, phase: { name: 'stopped' } as const },
    ]) {
      const { host, session } = await connected()
      host.tell({ type: 'frame', frame: FRAME })
      expect(session.frame.atS).toBe(9)
      host.snapshot = snapshot
      host.tell({ type: 'lagged' })
      await vi.waitFor(() => expect(session.frame.atS).toBe(0))
    }
  })

  it('keeps what it draws when it only fell behind', async () => {
    const { host, session } = await connected()
    host.tell({ type: 'frame', frame: FRAME })
    host.tell({ type: 'lagged' })
    await vi.waitFor(() => expect(host.count('snapshot')).toBe(2))
    await Promise.resolve()
    expect(session.frame.atS).toBe(9)
  })

  it('is not set back by a snapshot that is older than an event', async () => {
    const { host, session } = await connected()
    const answers: ((reply: Reply) => void)[] = []
    host.send = () => new Promise((answer) => answers.push(answer))
    host.tell({ type: 'lagged' })
    host.tell({ type: 'phase', phase: { name: 'stopped' } })
    host.tell({ type: 'load', load: load(2) })
    expect(session.phase.name).toBe('running')
    answers[0]?.({ type: 'snapshot', snapshot: { ...SNAPSHOT, loads: [load(1, [point(1)])] } })
    await vi.waitFor(() => expect(session.phase.name).toBe('stopped'))
    expect(session.loads.get(1)?.history.map((each) => each.atS)).toEqual([1, 2])
  })

  it('forgets, on falling behind once more, what it heard before: the next snapshot has it', async () => {
    const { host, session } = await connected()
    const answers: ((reply: Reply) => void)[] = []
    host.send = () => new Promise((answer) => answers.push(answer))
    host.tell({ type: 'lagged' })
    host.tell({ type: 'phase', phase: { name: 'starting', sinceMs: 1, preparing: null, waiting: [] } })
    host.tell({ type: 'lagged' })
    answers[0]?.({ type: 'snapshot', snapshot: { ...SNAPSHOT, phase: { name: 'stopped' } } })
    answers[1]?.({ type: 'snapshot', snapshot: SNAPSHOT })
    await vi.waitFor(() => expect(answers).toHaveLength(2))
    await Promise.resolve()
    await Promise.resolve()
    expect(session.phase.name).toBe('running')
  })

  it('shows a problem until it is over, or another cluster starts', async () => {
    const { host, session } = await connected()
    host.tell({ type: 'problem', problem: PROBLEM })
    expect(session.problem).toEqual(PROBLEM)
    host.tell({ type: 'problemOver' })
    expect(session.problem).toBeNull()
    host.tell({ type: 'problem', problem: PROBLEM })
    host.tell({ type: 'phase', phase: { name: 'starting', sinceMs: 1, preparing: null, waiting: [] } })
    expect(session.problem).toBeNull()
  })

  it('raises no alarm about what the person called off', async () => {
    const { host, session } = await connected()
    const answer = (code: string) => (host.send = async () => ({ type: 'problem', problem: { ...PROBLEM, code } }))
    const control = new ClusterControl(session, new StartChoices(session))
    answer('called-off')
    await control.start()
    await control.restart('etcd-1')
    expect(session.problem).toBeNull()
    answer('busy')
    await control.start()
    expect(session.problem?.code).toBe('busy')
  })

  it('starts in Docker with what goes there, and natively when that is wanted', async () => {
    const { host, session } = await connected()
    const choices = new StartChoices(session)
    const control = new ClusterControl(session, choices)
    const started = () => host.sent.flatMap((command) => (command.type === 'start' ? [command.options] : [])).at(-1)
    control.keepData = true
    choices.runtime = 'docker'
    choices.afterKill = 'adopt'
    await control.start()
    expect(started()).toMatchObject({ runtime: 'docker', afterKill: 'adopt', keepData: false })
    await control.startNatively()
    expect(started()).toMatchObject({ runtime: 'native', keepData: true })
    expect(choices.runtime).toBe('native')
  })

  it('starts a cluster anew in another way where the last one ran', async () => {
    const { host, session } = await connected()
    const choices = new StartChoices(session)
    host.tell({ type: 'cluster', cluster: IN_DOCKER })
    await new ClusterControl(session, choices).restartAs('etcd-bridge')
    expect(host.sent.slice(-2)).toMatchObject([
      { type: 'stop' },
      { type: 'start', options: { runtime: 'docker', topology: 'etcd-bridge' } },
    ])
  })

  it('follows work on images, and Prometheus and Grafana', async () => {
    const { host, session } = await connected()
    const work = { kind: 'build', subject: 'etcd', step: 'COPY', done: 0.5 } as const
    host.tell({ type: 'imageWork', work })
    expect(session.imageWork).toEqual(work)
    host.tell({ type: 'imageWork', work: null })
    expect(session.imageWork).toBeNull()
    const observers = { name: 'starting', doing: 'x' } as const
    host.tell({ type: 'observers', observers })
    expect(session.observers).toEqual(observers)
    host.snapshot = { ...SNAPSHOT, imageWork: work }
    host.tell({ type: 'lagged' })
    await vi.waitFor(() => expect(session.imageWork).toEqual(work))
    expect(session.observers).toEqual({ name: 'off' })
  })

  it('knows whose logs there are after a start that failed', async () => {
    const { host, session } = await connected()
    const waiting = ['etcd-1', 'etcd-2'].map((member) => ({ member, healthy: false, hasLeader: false }))
    host.tell({ type: 'phase', phase: { name: 'starting', sinceMs: 1, preparing: null, waiting } })
    host.tell({ type: 'phase', phase: { name: 'failed', problem: { ...PROBLEM, member: 'etcd-2' } } })
    expect(session.members).toEqual(['etcd-1', 'etcd-2'])

    host.snapshot = { ...SNAPSHOT, phase: { name: 'failed', problem: { ...PROBLEM, member: 'etcd-2' } } }
    const reloaded = new Session(host)
    await reloaded.connect()
    expect(reloaded.members).toEqual(['etcd-2'])
  })

  it('follows a course, and reads the scenarios anew when what became of its steps changes', async () => {
    const { host, session } = await connected()
    const before = host.count('scenarios')
    host.tell({ type: 'course', course: COURSE })
    expect(session.course).toEqual(COURSE)
    const read = host.count('scenarios')
    host.tell({ type: 'course', course: { ...COURSE, step: { ...COURSE.step, phase: { name: 'predict' } } } })
    expect(host.count('scenarios')).toBe(read)
    const steps = COURSE.steps.map((step) => ({ ...step, record: RECORD }))
    host.tell({ type: 'course', course: { ...COURSE, steps } })
    expect(host.count('scenarios')).toBe(read + 1)
    host.tell({ type: 'course', course: null })
    expect(session.course).toBeNull()
    expect(read).toBe(before + 1)
  })

  it('shows each command once, in order', async () => {
    const { host, session } = await connected()
    const command = { id: 3, atMs: 1, kind: 'curl', text: 'curl x', why: '' } as const
    host.tell({ type: 'shown', command })
    host.tell({ type: 'shown', command })
    expect(session.shown).toEqual([command])
  })

  it('shows why a command failed, until it is dismissed', async () => {
    const { host, session } = await connected()
    host.send = async () => ({ type: 'problem', problem: PROBLEM })
    await session.act({ type: 'stop' })
    expect(session.problem).toEqual(PROBLEM)
    await session.dismissProblem()
    expect(session.problem).toBeNull()
  })
})

it('keeps five minutes of a load', () => {
  let before = load(0)
  for (let at = 1; at < 400; at += 1) before = withHistory(load(at), before)
  expect(before.history.length).toBe(300)
  expect(before.history.at(-1)?.atS).toBe(399)
})
