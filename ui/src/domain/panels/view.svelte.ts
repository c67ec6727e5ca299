/** What one panel draws now, taken from the session's frame. To be made while a component is made. */
import type { PanelFrame, PanelView } from '$shared/api/lab'
import { format } from '$shared/format/format'
import type { Line, Mark, Scale } from '$shared/chart/types'

import { memberIndex, memberName } from '$domain/members/members'
import { staleForS } from '$domain/session/clock.svelte'
import type { Lab } from '$domain/session/context'
import { panelKey } from '$domain/session/frame'

import { chartMarks } from './marks'
import { lastValue, type LegendEntry, legendOf, linesOf, pointCount } from './series'

/** Why there are no lines; nothing when there are. */
export type Emptiness = 'stopped' | 'waiting' | 'noSeries' | 'problem' | null

export class PanelData {
  readonly #lab: Lab
  readonly #panel: () => { dashboard: string; panel: PanelView }

  constructor(lab: Lab, panel: () => { dashboard: string; panel: PanelView }) {
    this.#lab = lab
    this.#panel = panel
  }

  get frame(): PanelFrame | undefined {
    const { dashboard, panel } = this.#panel()
    return this.#lab.session.frame.panels.get(panelKey({ dashboard, panel: panel.id }))
  }

  readonly lines: Line[] = $derived.by(() =>
    linesOf(
      this.frame,
      this.#panel().panel,
      (member) => memberIndex(this.#lab.session.cluster, member),
      (id) => memberName(this.#lab.session.cluster, id),
    ),
  )
  readonly legend: LegendEntry[] = $derived.by(() => legendOf(this.lines))
  readonly points: number = $derived.by(() => pointCount(this.frame))
  readonly last: number | null = $derived.by(() => lastValue(this.frame))
  readonly marks: Mark[] = $derived.by(() => chartMarks(this.#lab.session.loads.values(), this.#lab.session.marks))

  /** What a screen reader is told: the title, and each line's last value. */
  get spoken(): string {
    const { panel } = this.#panel()
    const values = this.lines.map((line) => `${line.name} ${format(line.values.at(-1), panel.unit)}`)
    return `${panel.title}: ${values.join(', ')}`
  }

  get times(): readonly number[] {
    return this.#lab.session.frame.times
  }

  get atS(): number {
    return this.#lab.session.frame.atS
  }

  get rangeS(): number {
    return this.#lab.watch.rangeS
  }

  get scale(): Scale {
    const { panel } = this.#panel()
    return { unit: panel.unit, min: panel.min, max: panel.max, thresholds: panel.thresholds }
  }

  get staleS(): number {
    return staleForS(this.#lab.session, this.#lab.clock.nowMs)
  }

  get empty(): Emptiness {
    if (this.frame?.problem) return 'problem'
    if (this.points > 0) return null
    const { session } = this.#lab
    if (session.phase.name !== 'running') return 'stopped'
    return session.frameCameMs === 0 || this.frame === undefined ? 'waiting' : 'noSeries'
  }
}
