/** The lab's real dashboards and diagrams, read from the files the lab reads them from. */
import { parse } from 'yaml'

import type { DashboardView, Diagram, Measure, PanelView, Step } from '$shared/api/lab'

import compaction from '../../../grafana/dashboards/compaction.json'
import defrag from '../../../grafana/dashboards/defrag.json'
import etcd from '../../../grafana/dashboards/etcd.json'
import peers from '../../../grafana/dashboards/peers.json'
import puts from '../../../grafana/dashboards/puts.json'
import ranges from '../../../grafana/dashboards/ranges.json'
import compactionDiagram from '../../../src-tauri/scenarios/diagrams/compaction.yaml?raw'
import putsDiagram from '../../../src-tauri/scenarios/diagrams/puts.yaml?raw'
import replicationDiagram from '../../../src-tauri/scenarios/diagrams/replication.yaml?raw'
import rangesDiagram from '../../../src-tauri/scenarios/diagrams/ranges.yaml?raw'

interface GrafanaPanel {
  id: number
  type: string
  title: string
  description?: string
  fieldConfig?: {
    defaults?: {
      unit?: string
      min?: number
      max?: number
      mappings?: { type: string; options: Record<string, { text: string }> }[]
      custom?: { thresholdsStyle?: { mode: string } }
      thresholds?: { steps: { value: number | null }[] }
    }
  }
  targets?: { expr: string; legendFormat: string }[]
}

interface GrafanaDashboard {
  uid: string
  title: string
  description?: string
  panels: GrafanaPanel[]
}

/** Values of the thresholds that the panel draws. */
function thresholds({ fieldConfig }: GrafanaPanel): number[] {
  const { custom, thresholds } = fieldConfig?.defaults ?? {}
  if ((custom?.thresholdsStyle?.mode ?? 'off') === 'off') return []
  return (thresholds?.steps ?? []).map((step) => step.value).filter((value) => value !== null)
}

const mappings = ({ fieldConfig }: GrafanaPanel) =>
  (fieldConfig?.defaults?.mappings ?? [])
    .filter(({ type }) => type === 'value')
    .flatMap(({ options }) => Object.entries(options).map(([value, { text }]) => ({ value: Number(value), text })))

const panelView = (panel: GrafanaPanel): PanelView => ({
  id: panel.id,
  title: panel.title,
  description: panel.description ?? '',
  kind: panel.type === 'stat' ? 'stat' : 'timeSeries',
  unit: panel.fieldConfig?.defaults?.unit ?? 'short',
  min: panel.fieldConfig?.defaults?.min ?? null,
  max: panel.fieldConfig?.defaults?.max ?? null,
  mappings: mappings(panel),
  thresholds: thresholds(panel),
  targets: (panel.targets ?? []).map(({ expr, legendFormat }) => ({ expr, legend: legendFormat })),
})

function dashboardView(board: GrafanaDashboard): DashboardView {
  const view: DashboardView = { uid: board.uid, title: board.title, description: board.description ?? '', rows: [] }
  for (const panel of board.panels) {
    if (panel.type === 'row') view.rows.push({ title: panel.title, panels: [] })
    else {
      if (view.rows.length === 0) view.rows.push({ title: '', panels: [] })
      view.rows.at(-1)?.panels.push(panelView(panel))
    }
  }
  return view
}

export const dashboards: DashboardView[] = [puts, ranges, peers, compaction, defrag, etcd].map((board) =>
  dashboardView(board as unknown as GrafanaDashboard),
)

type Metric = Omit<Extract<Measure, { by: 'metric' }>, 'by' | 'hot'> & { hot?: boolean }
type StepInFile = Omit<Step, 'measure'> & { metric?: Metric; no_metric?: string }

function diagram(text: string): Diagram {
  const file = parse(text) as Omit<Diagram, 'steps' | 'mermaid'> & { steps: StepInFile[] }
  return {
    ...file,
    mermaid: `sequenceDiagram\n${file.steps.map(({ from, to, label }) => `    ${from}->>${to}: ${label}\n`).join('')}`,
    steps: file.steps.map(({ metric, no_metric, ...step }) => ({
      ...step,
      measure: metric ? { ...metric, by: 'metric', hot: metric.hot ?? false } : { by: 'nothing', why: no_metric ?? '' },
    })),
  }
}

export const diagrams: Diagram[] = [putsDiagram, rangesDiagram, compactionDiagram, replicationDiagram].map(diagram)
