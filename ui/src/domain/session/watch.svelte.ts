/** What the screen draws, told to the lab whenever it changes: it evaluates nothing that nobody looks at. */
import type { PanelRef, WatchSet } from '$shared/api/lab'

import type { Session } from './session.svelte'

export interface Wanted {
  readonly panels: readonly PanelRef[]
  readonly diagrams: readonly string[]
}

export type RangeS = 120 | 300 | 900

/** Points a line has at most: about one a pixel and a half of a panel. */
const MAX_POINTS = 300

export class Watch {
  /** How far charts look back. */
  rangeS = $state<RangeS>(120)
  #wanted = $state.raw<Wanted>({ panels: [], diagrams: [] })
  #told = ''

  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Says what the screen draws from now on. */
  want(wanted: Wanted): void {
    this.#wanted = wanted
  }

  /** The set as the lab is to be told. */
  get set(): WatchSet {
    return {
      panels: [...this.#wanted.panels],
      diagrams: [...this.#wanted.diagrams],
      rangeS: this.rangeS,
      maxPoints: MAX_POINTS,
    }
  }

  /** Tells the lab if anything changed; to be called from an effect. */
  tell(): void {
    const set = this.set
    const text = JSON.stringify(set)
    if (this.#session.link !== 'live' || text === this.#told) return
    this.#told = text
    void this.#session.send({ type: 'watch', set }).then((reply) => {
      if (reply.type === 'problem' && this.#told === text) this.#told = ''
    })
  }
}
