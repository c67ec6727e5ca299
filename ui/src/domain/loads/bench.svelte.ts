/** One kind of load on the bench: its numbers, the run that is shown, starting and stopping. Draws nothing. */
import type { LoadSpec, LoadView, Problem } from '$shared/api/lab'
import type { Session } from '$domain/session/session.svelte'

import {
  DEFAULTS,
  type FieldName,
  type Fields,
  fieldsOf,
  type LoadKind,
  refusedField,
  specOf,
  wrongWith,
} from './fields'

/** Code of the lab's refusal of a load's numbers. */
const BAD_LOAD = 'bad-load'

/** What the card shows beneath its first lines. */
export type Pane = 'none' | 'numbers' | 'results'

export class Bench {
  readonly kind: LoadKind
  fields = $state.raw<Fields>(DEFAULTS.put)
  pane = $state<Pane>('none')
  starting = $state(false)
  /** Why the last start or stop failed. */
  problem = $state.raw<Problem | null>(null)
  /** The line a person could type for the numbers as they are. */
  preview = $state('')
  /** Why the lab would refuse the numbers as they are. */
  refused = $state.raw<Problem | null>(null)

  readonly #session: Session
  #asked = 0

  constructor(session: Session, kind: LoadKind) {
    this.#session = session
    this.kind = kind
    this.fields = DEFAULTS[kind]
  }

  /** All runs of this kind, oldest first. */
  get #runs(): LoadView[] {
    return [...this.#session.loads.values()].filter((load) => load.spec.workload.kind === this.kind)
  }

  /** The run that is shown: the last of this kind. */
  get load(): LoadView | null {
    return this.#runs.at(-1) ?? null
  }

  get running(): boolean {
    const name = this.load?.state.name
    return name === 'running' || name === 'stopping'
  }

  /** The load as typed; `null` while a field is wrong. */
  get spec(): LoadSpec | null {
    return specOf(this.kind, this.fields)
  }

  /** What is wrong, by field. */
  get wrong(): Partial<Record<FieldName, string>> {
    const entries = fieldsOf(this.kind).map((name) => [name, wrongWith(name, this.fields.text[name])] as const)
    const wrong: Partial<Record<FieldName, string>> = Object.fromEntries(entries.filter(([, said]) => said))
    const refused = this.refused && refusedField(this.kind, this.refused.sentence)
    if (refused) wrong[refused.name] ??= refused.said
    return wrong
  }

  get changed(): boolean {
    return JSON.stringify(this.fields) !== JSON.stringify(DEFAULTS[this.kind])
  }

  type(name: FieldName, text: string): void {
    this.fields = { ...this.fields, text: { ...this.fields.text, [name]: text } }
  }

  choose(choice: Partial<Pick<Fields, 'sequentialKeys' | 'serializable'>>): void {
    this.fields = { ...this.fields, ...choice }
  }

  reset(): void {
    this.fields = DEFAULTS[this.kind]
  }

  toggle(pane: Pane): void {
    this.pane = this.pane === pane ? 'none' : pane
  }

  async start(): Promise<void> {
    const { spec } = this
    if (!spec) {
      this.pane = 'numbers'
      return
    }
    this.starting = true
    this.problem = null
    const reply = await this.#session.send({ type: 'startLoad', spec })
    this.starting = false
    if (reply.type === 'problem' && reply.problem.code === BAD_LOAD) {
      this.refused = reply.problem
      this.pane = 'numbers'
    } else if (reply.type === 'problem') this.problem = reply.problem
    else if (this.pane === 'numbers') this.pane = 'none'
  }

  async stop(): Promise<void> {
    const { load } = this
    if (!load) return
    const reply = await this.#session.send({ type: 'stopLoad', id: load.id })
    this.problem = reply.type === 'problem' ? reply.problem : null
  }

  /** Forgets every run that is over: an earlier one would else stand there as if it were the last. */
  async forget(): Promise<void> {
    this.pane = 'none'
    this.problem = null
    for (const { id, state } of this.#runs) {
      if (state.name !== 'ended' && state.name !== 'failed') continue
      const reply = await this.#session.send({ type: 'forgetLoad', id })
      if (reply.type === 'problem') this.problem = reply.problem
    }
  }

  /** Asks the lab for the line of the numbers as they are, or what it has against them; to be called from an effect. */
  describe(): void {
    const { spec } = this
    const asked = ++this.#asked
    if (!spec) {
      this.preview = ''
      this.refused = null
      return
    }
    void this.#session.send({ type: 'loadCommand', spec }).then((reply) => {
      if (asked !== this.#asked) return
      this.preview = reply.type === 'text' ? reply.text : ''
      this.refused = reply.type === 'problem' && reply.problem.code === BAD_LOAD ? reply.problem : null
    })
  }
}
