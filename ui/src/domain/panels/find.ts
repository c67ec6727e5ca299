/** Finds panels in the dashboards, by the titles they have there. Pure. */
import type { DashboardView, PanelRef, PanelView } from '$shared/api/lab'

export interface FoundPanel {
  readonly dashboard: string
  readonly panel: PanelView
}

/** The panel of a dashboard with that title. */
export function findPanel(dashboards: readonly DashboardView[], uid: string, title: string): FoundPanel | undefined {
  const board = dashboards.find((each) => each.uid === uid)
  const panel = board?.rows.flatMap((row) => row.panels).find((each) => each.title === title)
  return panel && { dashboard: uid, panel }
}

/** The panel that a scenario means. */
export const findPanelById = (dashboards: readonly DashboardView[], ref: PanelRef): PanelView | undefined =>
  dashboards
    .find((each) => each.uid === ref.dashboard)
    ?.rows.flatMap((row) => row.panels)
    .find((each) => each.id === ref.panel)
