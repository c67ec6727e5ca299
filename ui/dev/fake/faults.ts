/** Faults and marks of the made-up lab. */
import type {
  FailpointView,
  FaultsView,
  LinkShape,
  LinkView,
  Mark,
  MarkKind,
  MemberFailpoint,
  Problem,
} from '$shared/api/lab'

import { MEMBERS, noise, type World } from './world'

const FAILPOINTS = [
  'beforeCommit',
  'compactBeforeCommitBatch',
  'defragBeforeCopy',
  'raftBeforeSave',
  'walBeforeFdatasync',
]
const OPEN: LinkShape = { delayMs: 0, jitterMs: 0, bandwidthBytesS: null, cut: false }
const TERM = /^(([\d.]+%|\d+\*)?(off|return|sleep|panic|break|print)(\((\d+|"[^"]*"|true|false)\))?(->)?)+$/

const badTerm = (term: string): Problem => ({
  code: 'bad-term',
  sentence: `That is no term of a failpoint: expected an action at the end of ${term}.`,
  next: 'Terms are such as `sleep(100)`, `40.0%return(true)` or `3*sleep(1000)->off`.',
  detail: '',
  member: null,
  log: [],
})

export class FakeFaults {
  readonly marks: Mark[] = []
  #failpoints: FailpointView[] = []
  #shapes = new Map<string, LinkShape>()
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    const { story, bornS } = world
    if (story === 'slow') {
      this.set([], 'walBeforeFdatasync', 'sleep(100)')
      this.#mark('step', 'All disks slow', bornS - 58)
      this.#mark('fault', 'walBeforeFdatasync sleep(100) on all members', bornS - 52)
    }
    if (story === 'links') {
      this.set(['etcd-1'], 'walBeforeFdatasync', '40.0%sleep(100)')
      this.set(['etcd-1'], 'raftBeforeSave', 'sleep(10)')
      this.shape([], [], { ...OPEN, delayMs: 300, jitterMs: 20 })
      this.shape(['etcd-3'], [], { ...OPEN, cut: true })
      this.shape([], ['etcd-3'], { ...OPEN, cut: true })
      this.#mark('fault', 'links +300 ms', bornS - 60)
      this.#mark('operation', 'compact', bornS - 30)
      this.#mark('fault', 'etcd-3 cut off', bornS - 26)
    }
  }

  get bridged(): boolean {
    return this.#world.topology === 'etcd-bridge'
  }

  all(): MemberFailpoint[] {
    return MEMBERS.flatMap((member) =>
      FAILPOINTS.map((failpoint) => {
        const set = this.#failpoints.find((each) => each.member === member && each.failpoint === failpoint)
        return { member, failpoint, term: set?.term ?? null, hits: set?.hits ?? null }
      }),
    )
  }

  view(nowS: number): FaultsView {
    const failpoints = this.#failpoints.map((each) => ({ ...each, hits: (each.hits ?? 0) + (nowS % 1000) * 10 }))
    return { failpoints, links: this.bridged ? this.#links(nowS) : null }
  }

  set(members: readonly string[], failpoint: string, term: string): Problem | null {
    if (!TERM.test(term)) return badTerm(term)
    const at = members.length === 0 ? MEMBERS : members
    this.#failpoints = [
      ...this.#failpoints.filter((each) => !(at.includes(each.member) && each.failpoint === failpoint)),
      ...at.map((member) => ({ member, failpoint, term, hits: 0 })),
    ]
    // The story of the slow disk says itself since when.
    if (failpoint === 'walBeforeFdatasync' && this.#world.story !== 'links' && this.#world.slowFromS === Infinity)
      this.#world.slowFromS = Date.now() / 1000
    return null
  }

  clear(members: readonly string[], failpoint: string | null): void {
    this.#world.slowFromS = Infinity
    this.#failpoints = this.#failpoints.filter(
      (each) =>
        (members.length > 0 && !members.includes(each.member)) || (failpoint !== null && each.failpoint !== failpoint),
    )
  }

  shape(from: readonly string[], to: readonly string[], shape: LinkShape): void {
    for (const a of MEMBERS)
      for (const b of MEMBERS)
        if (a !== b && (from.length === 0 || from.includes(a)) && (to.length === 0 || to.includes(b)))
          this.#shapes.set(`${a} ${b}`, shape)
  }

  heal(): void {
    this.#shapes.clear()
  }

  mark(kind: MarkKind, text: string): Mark {
    return this.#mark(kind, text, Date.now() / 1000)
  }

  #mark(kind: MarkKind, text: string, atS: number): Mark {
    const mark = { id: this.marks.length + 1, atS, kind, text }
    this.marks.push(mark)
    return mark
  }

  #links(nowS: number): LinkView[] {
    return MEMBERS.flatMap((from, a) =>
      MEMBERS.filter((to) => to !== from).map((to, b) => {
        const shape = this.#shapes.get(`${from} ${to}`) ?? OPEN
        return {
          from,
          to,
          shape,
          rateBytesS: shape.cut ? 0 : 120_000 * (1 + noise(nowS, a * 3 + b) * 0.1),
          heldMs: shape.cut ? null : shape.delayMs * (1 + noise(nowS, a + b) * 0.02),
          connections: shape.cut ? 0 : 3,
        }
      }),
    )
  }
}
