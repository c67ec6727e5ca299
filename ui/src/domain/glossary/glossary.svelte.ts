/** The lab's terms, read again when other members may expose other metrics. Holds them; draws nothing. */
import type { LinkTo, Problem, TermView } from '$shared/api/lab'
import type { Session } from '$domain/session/session.svelte'

export class Glossary {
  terms = $state.raw<readonly TermView[]>([])
  references = $state.raw<readonly LinkTo[]>([])
  /** Why there are none. */
  problem = $state.raw<Problem | null>(null)
  /** Whether they were asked for and have not come yet. */
  waiting = $state(true)
  /** Version of the members whose metrics are told; `null` while none run. */
  readonly version: string | null = $derived.by(() =>
    this.#session.phase.name === 'running' ? (this.#session.cluster?.etcdVersion ?? null) : null,
  )

  readonly #session: Session
  #asked = 0

  constructor(session: Session) {
    this.#session = session
  }

  term(id: string): TermView | undefined {
    return this.terms.find((each) => each.id === id)
  }

  /** Reads the terms; to be called from an effect, which calls again when what they depend on changes. */
  follow(): void {
    void this.version
    if (this.#session.link === 'live') void this.read()
  }

  async read(): Promise<void> {
    const asked = ++this.#asked
    const reply = await this.#session.send({ type: 'glossary' })
    if (asked !== this.#asked) return
    this.waiting = false
    this.problem = reply.type === 'problem' ? reply.problem : null
    if (reply.type === 'glossary') {
      this.terms = reply.terms
      this.references = reply.references
    }
  }
}
