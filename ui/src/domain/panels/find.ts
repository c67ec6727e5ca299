/** Finds panels in the dashboards, by the titles they have there. Pure. */
import type { DashboardView, PanelView } from '$shared/api/lab'

export interface FoundPanel {
  readonly dashboard: string
  readonly panel: PanelView
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()

/** The panel of a dashboard whose title is one of `titles`, the first that exists; spelling aside. */
export function findPanel(
  dashboards: readonly DashboardView[],
  uid: string,
  titles: readonly string[],
): FoundPanel | undefined {
  const panels = dashboards.find((each) => each.uid === uid)?.rows.flatMap((row) => row.panels) ?? []
  for (const title of titles) {
    const panel = panels.find((each) => plain(each.title) === plain(title))
    if (panel) return { dashboard: uid, panel }
  }
  return undefined
}
