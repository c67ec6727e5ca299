// @vitest-environment node
import { expect, it } from 'vitest'

import { mistakes } from './check'

const files = import.meta.glob<string>('../../grafana/dashboards/*.json', {
  eager: true,
  query: '?raw',
  import: 'default',
})
const texts = Object.fromEntries(
  Object.entries(files).map(([path, text]) => [path.replace(/^.*\/(.*)\.json$/, '$1'), text]),
)

/** A change that makes a good dashboard a bad one, and a part of what is said then. */
const BROKEN = [
  { of: 'defrag', from: '"description":', to: '"descripton":', says: '"descripton"' },
  { of: 'defrag', from: '"schemaVersion": 39', to: '"schemaVersion": "39"', says: 'not assignable to type' },
  { of: 'defrag', from: '"gridPos": {\n        "h": 8,', to: '"gridPos": {', says: "'h' is missing" },
  { of: 'defrag', from: '"type": "timeseries"', to: '"type": "timeserie"', says: '"timeserie"' },
  { of: 'defrag', from: '"drawStyle": "line"', to: '"drawStyle": "lines"', says: '"lines"' },
  { of: 'defrag', from: '"fillOpacity": 0', to: '"fillOpactiy": 0', says: '"fillOpactiy"' },
  { of: 'defrag', from: '"unit": "ops"', to: '"units": "ops"', says: '"units"' },
  { of: 'defrag', from: '"mode": "palette-classic"', to: '"mode": "palette"', says: '"palette"' },
  {
    of: 'defrag',
    from: '"value": {\n                  "mode": "fixed"',
    to: '"value": { "mode": "fix"',
    says: '"fix"',
  },
  { of: 'defrag', from: '"expr":', to: '"expression":', says: '"expression"' },
  { of: 'defrag', from: '"displayMode": "table"', to: '"displayMode": "grid"', says: '"grid"' },
  { of: 'etcd', from: '"graphMode": "none"', to: '"graphMode": "no"', says: '"no"' },
  { of: 'etcd', from: '"type": "value"', to: '"type": "values"', says: '"values"' },
]
const cases = BROKEN.map((change, at) => ({ ...change, name: `broken-${at}` }))

function text(name: string): string {
  const known = texts[name]
  if (known === undefined) throw new Error(`there is no ${name}.json`)
  return known
}

// One round of TypeScript for all: it takes longest to read Grafana's types.
const found = mistakes({
  ...texts,
  ...Object.fromEntries(cases.map(({ name, of, from, to }) => [name, text(of).replace(from, to)])),
})

it('there are six', () => {
  expect(Object.keys(texts)).toHaveLength(6)
})

it.each(Object.keys(texts))('%s is what Grafana takes for a dashboard', (name) => {
  expect(found[name]).toEqual([])
})

it.each(cases)('$of with $to is refused, by line', ({ name, of, from, says }) => {
  const at = text(of).indexOf(from)
  expect(at).toBeGreaterThan(0)
  const line = text(of).slice(0, at).split('\n').length
  const first = found[name]?.[0] ?? 'nothing'
  expect(first).toMatch(new RegExp(`^${line}: `))
  expect(first).toContain(says)
})
