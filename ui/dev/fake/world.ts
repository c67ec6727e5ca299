/** A made-up cluster: numbers that move like those that were measured, so that screens can be judged. */
import type {
  ClusterView,
  LoadPoint,
  LoadSpec,
  LoadView,
  MemberState,
  Phase,
  Problem,
  RuntimeKind,
  TopologyName,
} from '$shared/api/lab'

import { NOT_RUNNING } from './docker'
import { COURSE_STORIES, DOCKER_STORIES } from './stories'

/** What the lab is doing when the window opens. */
const STORIES = [
  'stopped',
  'starting',
  'idle',
  'put',
  'both',
  'slow',
  'links',
  'errors',
  'full',
  'stale',
  'dead',
  'held',
  'failed',
  'crashed',
  ...DOCKER_STORIES,
  ...COURSE_STORIES,
] as const
export type Story = (typeof STORIES)[number]
/** Those in which the scenario has made the disks slow. */
const SLOWED: readonly Story[] = ['course-watching', 'course-met', 'course-finished']
/** Those in which nothing runs yet. */
const NOT_YET: readonly Story[] = [
  'stopped',
  'starting',
  'failed',
  'crashed',
  'docker',
  'docker-building',
  'docker-saving',
  'docker-none',
  'docker-preparing',
  'docker-failed',
  'newcomer',
  'course-overview',
  'course-port',
]
export const isStory = (text: string): text is Story => (STORIES as readonly string[]).includes(text)

export const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3']
const PORTS = [2379, 22379, 32379]

/** Repeatable noise in -1…1 for a moment and a line. */
export function noise(t: number, line: number): number {
  const x = Math.sin(t * 12.9898 + line * 78.233) * 43758.5453
  return (x - Math.floor(x)) * 2 - 1
}

export class World {
  readonly story: Story
  readonly bornS = Math.floor(Date.now() / 1000)
  putSpec: LoadSpec | null = null
  rangeSpec: LoadSpec | null = null
  putFromS: number
  rangeFromS: number
  putToS = Infinity
  rangeToS = Infinity
  runningFromS: number
  /** When all disks became slow. */
  slowFromS: number
  topology: TopologyName
  runtime: RuntimeKind
  /** What was done to members by hand. */
  readonly held = new Map<string, MemberState>()

  constructor(story: Story) {
    this.story = story
    const live = !NOT_YET.includes(story)
    this.runningFromS = live ? this.bornS - 400 : Infinity
    this.slowFromS = story === 'slow' || SLOWED.includes(story) ? this.bornS - 52 : Infinity
    this.topology = story === 'links' ? 'etcd-bridge' : 'etcd'
    this.runtime = (DOCKER_STORIES as readonly string[]).includes(story) ? 'docker' : 'native'
    if (story === 'docker-members') {
      this.held.set('etcd-2', 'paused')
      this.held.set('etcd-3', 'exited')
    }
    this.putFromS = live && story !== 'idle' ? this.bornS - 88 : Infinity
    this.rangeFromS = ['both', 'slow', 'errors'].includes(story) ? this.bornS - 41 : Infinity
  }

  /** Whether a put load runs, as a share of its full rate. */
  puts(t: number): number {
    return t >= this.putFromS && t < this.putToS ? Math.min(1, (t - this.putFromS + 1) / 4) : 0
  }

  ranges(t: number): number {
    return t >= this.rangeFromS && t < this.rangeToS ? Math.min(1, (t - this.rangeFromS + 1) / 3) : 0
  }

  /** How far the slow disk has set in, 0 to 1. */
  slow(t: number): number {
    return 1 / (1 + Math.exp(-(t - this.slowFromS) * 0.9))
  }

  up(member: number, t: number): boolean {
    return t >= this.runningFromS && !(this.story === 'dead' && member === 2 && t > this.bornS - 30)
  }

  /** Seconds of a put at a member, p90. */
  putP90(t: number, member: number): number {
    const calm = [0.19, 0.23, 0.235][member] ?? 0.2
    const hard = [0.47, 0.9, 0.89][member] ?? 0.9
    return (calm + (hard - calm) * this.slow(t)) * (1 + noise(t, member) * 0.05)
  }

  putRate(t: number, member: number): number {
    return this.puts(t) * (1510 - 720 * this.slow(t)) * (1 + noise(t, member + 10) * 0.04)
  }

  rangeRate(t: number, member: number): number {
    return this.ranges(t) * (820 - 780 * this.slow(t)) * (1 + noise(t, member + 20) * 0.06)
  }

  fsync(t: number, member: number): number {
    return (0.0065 + 0.12 * this.slow(t)) * (1 + noise(t, member + 30) * 0.08)
  }

  dbSize(t: number, member: number): number {
    const full = this.story === 'full' ? 1.99e9 : 16.4e6
    return full + Math.max(0, t - this.putFromS) * 26_000 * (member === 1 ? 1.02 : 1)
  }

  index(t: number, member: number): number {
    const since = Number.isFinite(this.putFromS) ? Math.max(0, t - this.putFromS) : 0
    return Math.round(1_204_331 + since * 4500 - (member === 2 ? 1 : 0))
  }

  phase(t: number): Phase {
    if (this.story === 'starting') {
      const step = (t - this.bornS) % 9
      return {
        name: 'starting',
        sinceMs: this.bornS * 1000 - 1400,
        preparing: null,
        waiting: MEMBERS.map((member, at) => ({ member, healthy: at === 0 || step > 3 + at, hasLeader: step > 6 })),
      }
    }
    if (this.story === 'docker-preparing') {
      const preparing = 'Building the image etcd-metrics-lab/etcd:v3.5.9'
      const waiting = MEMBERS.map((member) => ({ member, healthy: false, hasLeader: false }))
      return { name: 'starting', sinceMs: this.bornS * 1000 - 1400, preparing, waiting }
    }
    if (this.story === 'docker-failed') return { name: 'failed', problem: NOT_RUNNING }
    if (this.story === 'failed') return { name: 'failed', problem: PORT_TAKEN }
    if (this.story === 'crashed') return { name: 'failed', problem: MEMBER_DIED }
    return t >= this.runningFromS ? { name: 'running', sinceMs: this.runningFromS * 1000 } : { name: 'stopped' }
  }

  cluster(t: number): ClusterView | null {
    const starting = this.story === 'starting'
    if (!starting && t < this.runningFromS) return null
    const dead = this.story === 'dead' && t > this.bornS - 30
    return {
      runtime: this.runtime,
      topology: this.topology,
      etcdVersion: '3.5.9',
      quotaBytes: 2_147_483_648,
      heartbeatMs: 250,
      electionMs: 1250,
      alarms: this.story === 'full' ? MEMBERS.map((member) => ({ member, kind: 'NOSPACE' })) : [],
      members: MEMBERS.map((name, index) => {
        const state: MemberState =
          this.held.get(name) ?? (starting ? 'starting' : dead && index === 2 ? 'exited' : 'healthy')
        return {
          name,
          index,
          state,
          id: ['ade526d28b1f92f7', 'd282ac2ce600c1ce', 'bd388e7810915853'][index] ?? '',
          leader: !starting && index === 0,
          learner: false,
          term: starting ? 0 : 2,
          raftIndex: starting ? 0 : this.index(t, index),
          raftAppliedIndex: starting ? 0 : this.index(t, index) - (this.puts(t) > 0 ? 14 : 0),
          dbSizeBytes: starting ? 20_480 : Math.round(this.dbSize(t, index)),
          dbInUseBytes: starting ? 8_192 : Math.round(this.dbSize(t, index) * 0.62),
          pid: state === 'exited' || this.runtime === 'docker' ? null : 41_200 + index,
          container:
            this.runtime === 'docker' ? (['f3a1c09be2d4', '07be5d31aa90', 'c41d0a77e6f1'][index] ?? null) : null,
          clientUrl: `http://127.0.0.1:${PORTS[index]}`,
          peerUrl: `http://127.0.0.1:${(PORTS[index] ?? 0) + 1}`,
          gofailUrl: `http://127.0.0.1:${11180 + index * 10_000}`,
          answeredMs: (state === 'exited' || state === 'paused' ? this.bornS - 30 : t) * 1000,
        }
      }),
    }
  }

  point(kind: 'put' | 'range', t: number): LoadPoint {
    const rate = MEMBERS.reduce((sum, _, at) => sum + (kind === 'put' ? this.putRate(t, at) : this.rangeRate(t, at)), 0)
    const p90 = kind === 'put' ? this.putP90(t, 1) : 0.038 * (1 + this.slow(t) * 60) * (1 + noise(t, 41) * 0.06)
    return {
      atS: t,
      rate: Math.round(rate),
      errorRate: this.story === 'errors' ? 38 : 0,
      p50S: rate > 0 ? p90 * 0.82 : null,
      p90S: rate > 0 ? p90 : null,
      p99S: rate > 0 ? p90 * (1.62 + noise(t, 42) * 0.12) : null,
      maxS: rate > 0 ? p90 * (2.4 + noise(t, 43) * 0.4) : null,
    }
  }

  load(kind: 'put' | 'range', spec: LoadSpec, t: number, history: boolean): LoadView {
    const [from, to] = kind === 'put' ? [this.putFromS, this.putToS] : [this.rangeFromS, this.rangeToS]
    const end = Math.min(t, to)
    const now = this.point(kind, Math.min(t, to - 1))
    const points: LoadPoint[] = []
    for (let at = Math.max(from, end - 200); at <= end; at += 1) points.push(this.point(kind, at))
    const done = Math.round((end - from) * (kind === 'put' ? 4400 : 2400))
    const failing = this.story === 'errors'
    return {
      id: kind === 'put' ? 1 : 2,
      spec,
      command: commandOf(spec),
      state: t >= to ? { name: 'ended' } : { name: 'running' },
      startedMs: from * 1000,
      elapsedS: end - from,
      done,
      now,
      overall: { ...now, rate: done / Math.max(1, end - from) },
      history: history ? points : [],
      members: MEMBERS.map((member, at) => ({
        member,
        rate: kind === 'put' ? this.putRate(t, at) : this.rangeRate(t, at),
        p50S: this.putP90(t, at) * 0.8,
        p90S: kind === 'put' ? this.putP90(t, at) : (now.p90S ?? 0),
        p99S: this.putP90(t, at) * 1.6,
        done: Math.round(done / 3),
        errors: failing && at === 2 ? 1204 : 0,
      })),
      errors: failing
        ? [
            { code: 'Unknown', message: 'etcdserver: too many requests', count: 1128 },
            { code: 'Unavailable', message: 'etcdserver: leader changed', count: 76 },
          ]
        : [],
    }
  }
}

export function commandOf(spec: LoadSpec): string {
  const { workload: w } = spec
  const shared = `--endpoints 127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 --clients ${spec.clients} --conns ${spec.conns}`
  return w.kind === 'put'
    ? `etcd-labctl bench ${shared} put --key-size ${w.keySize} --val-size ${w.valSize} --key-space-size ${w.keySpaceSize}${w.sequentialKeys ? ' --sequential-keys' : ''} --total ${spec.total}`
    : `etcd-labctl bench ${shared} range ${w.key}${w.serializable ? ' --consistency s' : ''} --total ${spec.total}`
}

const PORT_TAKEN: Problem = {
  code: 'port-taken',
  sentence: 'Port 2379, where etcd-1 would listen, is taken by etcd (process 3127).',
  next: 'Stop that program, or let the lab move to free ports.',
  detail: 'bind 127.0.0.1:2379: Address already in use (os error 98)',
  member: 'etcd-1',
  log: [],
}

const MEMBER_DIED: Problem = {
  code: 'member-died',
  sentence: 'etcd-2 ended by itself while the cluster was starting.',
  next: 'Read its last lines below; a fresh start without the data of last time often helps.',
  detail: 'exit status: 1',
  member: 'etcd-2',
  log: [
    '{"level":"info","ts":"2026-11-23T01:02:03.120Z","caller":"embed/etcd.go:309","msg":"starting an etcd server","etcd-version":"3.5.9"}',
    '{"level":"warn","ts":"2026-11-23T01:02:03.311Z","caller":"etcdserver/server.go:1127","msg":"server error","error":"the member has been permanently removed from the cluster"}',
    '{"level":"fatal","ts":"2026-11-23T01:02:03.402Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"member count is unequal"}',
  ],
}
