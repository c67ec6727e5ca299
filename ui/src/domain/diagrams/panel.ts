/** Which panel of the dashboards shows what an arrow's metric does. Only looked up: nothing is measured here. Pure. */
import type { DashboardView, Measure, PanelView } from '$shared/api/lab'

export interface FoundPanel {
  readonly board: DashboardView
  readonly panel: PanelView
}

/** A family's name in a query may bear what a histogram's series end in. */
const asks = (expr: string, name: string): boolean => new RegExp(`\\b${name}(?:_bucket|_count|_sum)?\\b`).test(expr)

/** The part of a query that says of which requests: `grpc_method="Put"`. */
const methodOf = (expr: string): string | undefined => /grpc_method="\w+"/.exec(expr)?.[0]

/**
 * A panel of the same metric in the same unit and of the same requests; the first there is, since the dashboards stand
 * in the order of the talk.
 */
export function panelFor(dashboards: readonly DashboardView[], measure: Measure): FoundPanel | undefined {
  if (measure.by !== 'metric') return undefined
  const method = methodOf(measure.query)
  for (const board of dashboards) {
    for (const panel of board.rows.flatMap((row) => row.panels)) {
      const same = panel.targets.some(
        ({ expr }) => asks(expr, measure.name) && (method === undefined || expr.includes(method)),
      )
      if (same && kindOf(panel.unit) === kindOf(measure.unit)) return { board, panel }
    }
  }
  return undefined
}

/** Units in which the same thing may be told. */
const KINDS: Readonly<Record<string, string>> = { ms: 's', Bps: 'bytes/s', binBps: 'bytes/s', none: 'short' }
const kindOf = (unit: string): string => KINDS[unit] ?? (unit.endsWith('ps') ? 'ops' : unit)
