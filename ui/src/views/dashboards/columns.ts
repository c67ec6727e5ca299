/** How a row's panels are set: like beside like, in columns that leave no panel alone on a line. Pure. */
import type { PanelView } from '$shared/api/lab'

/** Fewer panels than this don't grow to fill the width. */
const FEW = 3

/** Runs of panels of one kind, in reading order. */
export function runs(panels: readonly PanelView[]): PanelView[][] {
  const found: PanelView[][] = []
  for (const panel of panels) {
    const run = found.at(-1)
    if (run && run[0]?.kind === panel.kind) run.push(panel)
    else found.push([panel])
  }
  return found
}

/** Columns for `count` panels where `most` fit: as many lines as needed, filled as evenly as can be. */
export function columns(count: number, most: number): number {
  const fitting = Math.max(1, most)
  const lines = Math.ceil(count / fitting)
  return lines > 1 ? Math.ceil(count / lines) : Math.min(fitting, Math.max(count, FEW))
}
