/**
 * The panels and the diagram that matter for a put and for a range, by where they are in the dashboards. Only
 * looked up here: what a panel shows is written in its dashboard.
 */
import type { LoadKind } from '$domain/loads/fields'

interface Wanted {
  /** Titles it may have, the first that exists. */
  readonly titles: readonly string[]
}

export interface Subject {
  readonly kind: LoadKind
  /** Uid of the dashboard that has all of it. */
  readonly dashboard: string
  readonly diagram: string
  readonly panels: readonly Wanted[]
}

const panel = (...titles: string[]): Wanted => ({ titles })

export const SUBJECTS: Readonly<Record<LoadKind, Subject>> = {
  put: {
    kind: 'put',
    dashboard: 'ac2a8573-2a57-4b18-a9fd-d007b565f5e6',
    diagram: 'puts',
    panels: [
      panel('disk: wal fsync duration p99'),
      panel('grpc: handled puts/s'),
      panel('grpc: puts latency p90'),
      panel('server: proposals pending'),
      panel('disk: wal fsync count/s'),
      panel('bbolt: db size'),
    ],
  },
  range: {
    kind: 'range',
    dashboard: 'ad0da30b-2128-4455-8cef-31424b06b7b9',
    diagram: 'ranges',
    panels: [
      panel('grpc: handled ranges/s'),
      panel('grpc: range latency p90'),
      panel('mvcc: ranges total', 'mvcc: ranges/s'),
      panel('grpc: sent bytes/s'),
      panel('server: slow read index/s'),
      panel('server: read index failed/s'),
    ],
  },
}
