import { expect, it } from 'vitest'

import type { PanelView } from '$shared/api/lab'

import { columns, runs } from './columns'

it.each([
  [6, 5, 3],
  [3, 5, 3],
  [4, 5, 4],
  [4, 3, 2],
  [5, 3, 3],
  [4, 1, 1],
  [16, 5, 4],
  [1, 5, 3],
  [7, 3, 3],
  [2, 1, 1],
  [0, 0, 1],
])('%s panels where %s fit stand in %s columns', (count, most, expected) => {
  expect(columns(count, most)).toBe(expected)
})

it('sets like beside like', () => {
  const panel = (id: number, kind: PanelView['kind']) => ({ id, kind }) as PanelView
  const found = runs([panel(1, 'stat'), panel(2, 'stat'), panel(3, 'timeSeries'), panel(4, 'stat')])
  expect(found.map((run) => run.map(({ id }) => id))).toEqual([[1, 2], [3], [4]])
})
