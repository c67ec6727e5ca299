/** The lab's real terms, read from the file the lab reads them from; what members would say of their metrics is made up. */
import { parse } from 'yaml'

import type { LinkTo, MetricView, TermView } from '$shared/api/lab'

import glossary from '../../../src-tauri/scenarios/glossary.yaml?raw'

type Metric = string | Record<string, string>
interface TermInFile {
  id: string
  term: string
  also?: string[]
  text: string
  metrics?: Metric[]
  links?: LinkTo[]
}

const file = parse(glossary) as { terms: TermInFile[]; references: LinkTo[] }
const SECONDS = Array.from({ length: 14 }, (_, at) => 0.001 * 2 ** at)

function metricView(metric: Metric): MetricView {
  const [line, name] = typeof metric === 'string' ? ['', metric] : (Object.entries(metric)[0] ?? ['', ''])
  const unit = /(milliseconds|seconds|bytes)(?:_total)?$/.exec(name)?.[1] ?? ''
  const exposed = line === '' || line === '3.5'
  const kind = name.includes('duration') ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge'
  return {
    name,
    exposed,
    kind: exposed ? kind : '',
    help: exposed ? 'What the member says of it in its own exposition.' : '',
    unit,
    buckets: exposed && kind === 'histogram' ? SECONDS.map((bound) => (unit === 'seconds' ? bound : bound * 1e5)) : [],
  }
}

export const terms: TermView[] = file.terms
  .map(({ id, term, also, text, metrics, links }) => ({
    id,
    term,
    also: also ?? [],
    text,
    metrics: (metrics ?? []).map(metricView),
    links: links ?? [],
  }))
  .sort((a, b) => a.term.localeCompare(b.term, 'en', { sensitivity: 'base' }))

export const references: LinkTo[] = file.references
