/**
 * The panels and the diagram that matter for a put and for a range, by where they are in the dashboards. Only
 * looked up here: what a panel shows is written in its dashboard.
 */
import type { LoadKind } from '$domain/loads/fields'

export interface Subject {
  readonly kind: LoadKind
  /** Uid of the dashboard that has all of it. */
  readonly dashboard: string
  readonly diagram: string
  /** Titles of panels there. */
  readonly panels: readonly string[]
}

export const SUBJECTS: Readonly<Record<LoadKind, Subject>> = {
  put: {
    kind: 'put',
    dashboard: 'ac2a8573-2a57-4b18-a9fd-d007b565f5e6',
    diagram: 'puts',
    panels: [
      'disk: wal fsync duration p99',
      'grpc: handled puts/s',
      'grpc: puts latency p90',
      'server: proposals pending',
      'disk: wal fsync count/s',
      'bbolt: db size',
    ],
  },
  range: {
    kind: 'range',
    dashboard: 'ad0da30b-2128-4455-8cef-31424b06b7b9',
    diagram: 'ranges',
    panels: [
      'grpc: handled ranges/s',
      'grpc: range latency p90',
      'mvcc: ranges total',
      'grpc: sent bytes/s',
      'server: slow read index/s',
      'server: read index failed/s',
    ],
  },
}
