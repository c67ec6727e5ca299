/** Setting and clearing faults. Holds what the person has chosen and typed; what is in effect the session knows. */
import type { Command, LinkShape, MemberFailpoint, Problem } from '$shared/api/lab'
import type { Session } from '$domain/session/session.svelte'

import { curlLine } from './failpoints'
import { ALL_LINKS, isShaped, type LinkChoice, OPEN, readShape, type TypedShape, typedShape, whole } from './links'

/** Code of the lab's refusal of a term. */
const BAD_TERM = 'bad-term'

/** Milliseconds: what a network across a room, across an ocean, and the talk's is like. */
export const DELAYS_MS = [100, 300, 1000] as const
export const TERMS = ['sleep(100)', 'sleep(1000)'] as const

export class FaultControl {
  /** Members at which a failpoint is to be set; all when empty. */
  members = $state.raw<readonly string[]>([])
  failpoint = $state('walBeforeFdatasync')
  term = $state<string>(TERMS[0])
  /** Seconds after which it is cleared, as typed; never when empty. */
  forS = $state('')
  /** Failpoints that the members have. */
  known = $state.raw<readonly MemberFailpoint[]>([])
  links = $state.raw<LinkChoice>(ALL_LINKS)
  typed = $state.raw<TypedShape>(typedShape(OPEN))
  /** What is being carried out. */
  busy = $state<'failpoint' | 'links' | 'clear' | null>(null)
  /** Why the last failpoint, and the last change of links, came to nothing. */
  problem = $state.raw<Problem | null>(null)
  linkProblem = $state.raw<Problem | null>(null)

  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Whether anything is in effect, whoever set it. */
  get any(): boolean {
    const { failpoints, links } = this.#session.faults
    return failpoints.length > 0 || (links ?? []).some((link) => isShaped(link.shape))
  }

  /** Members that the failpoint is to be set at, by name. */
  get chosen(): readonly string[] {
    const all = this.#session.cluster?.members.map((member) => member.name) ?? []
    return this.members.length === 0 ? all : all.filter((name) => this.members.includes(name))
  }

  /** The line a person could type for what is chosen. */
  get line(): string {
    const members = this.#session.cluster?.members.filter((member) => this.chosen.includes(member.name)) ?? []
    return members.length === 0 ? '' : curlLine(members, this.failpoint, this.term)
  }

  /** What the lab has against the term, if it was that. */
  get wrongTerm(): string | undefined {
    return this.problem?.code === BAD_TERM ? this.problem.sentence : undefined
  }

  get wrongDuration(): boolean {
    return this.forS.trim() !== '' && !whole(this.forS)
  }

  toggle(member: string): void {
    const chosen = this.members.includes(member)
      ? this.members.filter((name) => name !== member)
      : [...this.members, member]
    this.members = chosen.length === this.#session.cluster?.members.length ? [] : chosen
  }

  /** Reads which failpoints there are. */
  async list(): Promise<void> {
    const reply = await this.#session.send({ type: 'failpoints' })
    if (reply.type === 'failpoints') this.known = reply.failpoints
    else if (reply.type === 'problem') this.problem = reply.problem
  }

  async setFailpoint(): Promise<void> {
    if (this.wrongDuration) return
    const { failpoint, forS } = this
    this.busy = 'failpoint'
    this.problem = await this.#problemOf({
      type: 'setFailpoint',
      members: [...this.members],
      failpoint,
      term: this.term.trim(),
      forS: forS.trim() === '' ? null : whole(forS),
    })
    this.busy = null
  }

  async clearFailpoint(member: string, failpoint: string): Promise<void> {
    await this.#session.act({ type: 'clearFailpoints', members: [member], failpoint })
  }

  /** Changes what the fields say of the chosen links; `null` for a shape that can't be read. */
  type(part: Partial<TypedShape>): void {
    this.typed = { ...this.typed, ...part }
  }

  /** Chooses links, and shows what is done to the first of them. */
  choose(choice: LinkChoice): void {
    this.links = choice
    const first = this.#session.faults.links?.find(
      ({ from, to }) => (choice.from[0] ?? from) === from && (choice.to[0] ?? to) === to,
    )
    this.typed = typedShape(first?.shape ?? OPEN)
  }

  async setLinks(): Promise<void> {
    const { shape } = readShape(this.typed)
    if (shape) await this.#shape([{ ...this.links, shape }])
  }

  /** The same for every link. */
  async setAll(shape: LinkShape): Promise<void> {
    this.links = ALL_LINKS
    this.typed = typedShape(shape)
    await this.#shape([{ ...ALL_LINKS, shape }])
  }

  /** Nothing reaches the member, and nothing leaves it. */
  async cutOff(member: string): Promise<void> {
    const shape = { ...OPEN, cut: true }
    await this.#shape([
      { from: [member], to: [], shape },
      { from: [], to: [member], shape },
    ])
  }

  async openLink(from: string, to: string): Promise<void> {
    await this.#shape([{ from: [from], to: [to], shape: OPEN }])
  }

  async heal(): Promise<void> {
    this.typed = typedShape(OPEN)
    this.busy = 'links'
    this.linkProblem = await this.#problemOf({ type: 'healLinks' })
    this.busy = null
  }

  async clearAll(): Promise<void> {
    const { failpoints, links } = this.#session.faults
    this.busy = 'clear'
    if (failpoints.length > 0) await this.#session.act({ type: 'clearFailpoints', members: [], failpoint: null })
    if (links?.some((link) => isShaped(link.shape))) await this.#session.act({ type: 'healLinks' })
    this.busy = null
  }

  async #shape(changes: readonly (LinkChoice & { shape: LinkShape })[]): Promise<void> {
    this.busy = 'links'
    this.linkProblem = null
    for (const { from, to, shape } of changes) {
      this.linkProblem ??= await this.#problemOf({ type: 'setLinks', from: [...from], to: [...to], shape })
    }
    this.busy = null
  }

  async #problemOf(command: Command): Promise<Problem | null> {
    const reply = await this.#session.send(command)
    return reply.type === 'problem' ? reply.problem : null
  }
}
