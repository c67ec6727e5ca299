import { expect, it } from 'vitest'

import type { LoadView } from '$shared/api/lab'

import { loadMarks } from './marks'

const load = (state: LoadView['state'], elapsedS: number, atS: number | null) =>
  ({
    spec: { workload: { kind: 'put' } },
    state,
    elapsedS,
    now: atS === null ? null : { atS },
    overall: null,
  }) as unknown as LoadView

it('marks where loads begin and end, in order of time', () => {
  const marks = loadMarks([load({ name: 'running' }, 10, 110), load({ name: 'ended' }, 5, 55.4)])
  expect(marks.map(({ atS, label }) => [atS, label])).toEqual([
    [50, 'put starts'],
    [55, 'put ends'],
    [100, 'put starts'],
  ])
})

it('marks nothing of a load that measured nothing yet', () => {
  expect(loadMarks([load({ name: 'running' }, 0, null)])).toEqual([])
})

it('makes one mark of moments that can’t be told apart', () => {
  const marks = loadMarks([load({ name: 'running' }, 10, 110), load({ name: 'running' }, 9, 110)])
  expect(marks).toEqual([{ atS: 100, label: 'put starts, put starts', short: 'put, put' }])
})
