/** A frame, ready to be looked things up in. */
import type { ArrowFrame, Frame, PanelFrame, PanelRef } from '$shared/api/lab'

export interface IndexedFrame {
  /** Time of the scrape round, seconds since the Unix epoch; 0 when nothing was drawn yet. */
  readonly atS: number
  readonly times: readonly number[]
  readonly panels: ReadonlyMap<string, PanelFrame>
  /** By diagram, then by step. */
  readonly arrows: ReadonlyMap<string, ReadonlyMap<number, ArrowFrame>>
}

export const NO_FRAME: IndexedFrame = { atS: 0, times: [], panels: new Map(), arrows: new Map() }

export const panelKey = (ref: PanelRef): string => `${ref.dashboard}/${ref.panel}`

export function indexFrame(frame: Frame): IndexedFrame {
  return {
    atS: frame.atS,
    times: frame.times,
    panels: new Map(frame.panels.map((panel) => [panelKey(panel.panel), panel])),
    arrows: new Map(
      frame.diagrams.map(({ diagram, arrows }) => [diagram, new Map(arrows.map((arrow) => [arrow.step, arrow]))]),
    ),
  }
}
