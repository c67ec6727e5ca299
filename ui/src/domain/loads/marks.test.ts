import { expect, it } from 'vitest'

import type { LoadView } from '$shared/api/lab'

import { loadMarks } from './marks'

const load = (state: LoadView['state'], startedMs: number, elapsedS: number) =>
  ({ spec: { workload: { kind: 'put' } }, state, startedMs, elapsedS }) as unknown as LoadView

it('marks where loads begin and end, in order of time', () => {
  const marks = loadMarks([load({ name: 'running' }, 100_200, 10), load({ name: 'ended' }, 50_400, 5)])
  expect(marks.map(({ atS, label }) => [atS, label])).toEqual([
    [50, 'put starts'],
    [55, 'put ends'],
    [100, 'put starts'],
  ])
})

it('keeps a mark where it is while the load goes on', () => {
  const at = (elapsedS: number) => loadMarks([load({ name: 'running' }, 100_499, elapsedS)])[0]?.atS
  expect([0, 0.6, 1.4, 7.51].map(at)).toEqual([100, 100, 100, 100])
})
