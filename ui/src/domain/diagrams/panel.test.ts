import { expect, it } from 'vitest'
import { parse } from 'yaml'

import type { DashboardView, Measure } from '$shared/api/lab'

import { panelFor } from './panel'

interface Board {
  uid: string
  title: string
  panels: {
    id: number
    type: string
    title: string
    fieldConfig?: { defaults?: { unit?: string } }
    targets?: { expr: string }[]
  }[]
}

// The lab's own dashboards, in the order of the rail.
const files = import.meta.glob<string>('../../../../grafana/dashboards/*.json', {
  eager: true,
  query: '?raw',
  import: 'default',
})
const boards: DashboardView[] = ['puts', 'ranges', 'peers', 'compaction', 'defrag', 'etcd'].map((name) => {
  const board = JSON.parse(files[`../../../../grafana/dashboards/${name}.json`] ?? '') as Board
  const panels = board.panels
    .filter((panel) => panel.type !== 'row')
    .map((panel) => ({
      id: panel.id,
      title: panel.title,
      description: '',
      kind: 'timeSeries' as const,
      unit: panel.fieldConfig?.defaults?.unit ?? 'short',
      min: null,
      max: null,
      mappings: [],
      thresholds: [],
      targets: (panel.targets ?? []).map(({ expr }) => ({ expr, legend: '' })),
    }))
  return { uid: board.uid, title: board.title, description: '', rows: [{ title: '', panels }] }
})

const diagrams = import.meta.glob<string>('../../../../src-tauri/scenarios/diagrams/*.yaml', {
  eager: true,
  query: '?raw',
  import: 'default',
})
type Metric = Omit<Extract<Measure, { by: 'metric' }>, 'by'>
const metrics = (name: string): Metric[] =>
  (
    parse(diagrams[`../../../../src-tauri/scenarios/diagrams/${name}.yaml`] ?? '') as { steps: { metric?: Metric }[] }
  ).steps.flatMap(({ metric }) => metric ?? [])

const found = (metric: Metric) => panelFor(boards, { ...metric, by: 'metric' })?.panel.title

it('finds a panel for the arrows of a put that are drawn on one', () => {
  const panels = new Map(metrics('puts').map((metric) => [metric.name, found(metric)]))
  expect(panels.get('etcd_disk_wal_fsync_duration_seconds')).toBe('disk: wal fsync duration p99')
  expect(panels.get('etcd_server_proposals_pending')).toBe('server: proposals pending')
  expect(panels.get('grpc_server_started_total')).toBe('grpc: started puts/s')
  expect(panels.get('grpc_server_handling_seconds')).toBe('grpc: puts latency p90')
})

it('does not show the puts’ panel for a range', () => {
  const started = metrics('ranges').find(({ name }) => name === 'grpc_server_started_total')
  expect(started && found(started)).toBe('grpc: started ranges/s')
})

it('shows none for what no panel draws, and for what nothing measures', () => {
  const metric = metrics('puts')[0] as Metric
  expect(found({ ...metric, name: 'etcd_no_such_thing' })).toBeUndefined()
  expect(found({ ...metric, unit: 's' })).toBeUndefined()
  expect(panelFor(boards, { by: 'nothing', why: '' })).toBeUndefined()
})
