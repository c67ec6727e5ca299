import { expect, it } from 'vitest'

import { withGaps } from './history'

const point = (atS: number) => ({ atS, rate: 1, errorRate: 0, p50S: 1, p90S: 2, p99S: 3, maxS: 4 })

it('leaves seconds that follow each other as they are', () => {
  expect(withGaps([point(1), point(2), point(4)]).map(({ atS }) => atS)).toEqual([1, 2, 4])
  expect(withGaps([])).toEqual([])
})

it('puts a point without values where seconds are missing', () => {
  const drawn = withGaps([point(1), point(2), point(9)])
  expect(drawn.map(({ atS, p99S }) => [atS, p99S])).toEqual([
    [1, 3],
    [2, 3],
    [5.5, null],
    [9, 3],
  ])
})
