import { expect, it } from 'vitest'

import { highest, sparkPath } from './spark'

it('draws a line from zero at the bottom to the highest at the top', () => {
  expect(sparkPath([0, 5, 10], 10, 20, 10)).toBe('M0.0 10.0L10.0 5.0L20.0 0.0')
})

it('leaves gaps as gaps', () => {
  expect(sparkPath([1, null, 1], 1, 20, 10)).toBe('M0.0 0.0M20.0 0.0')
})

it('draws nothing of nothing, and zero at the bottom', () => {
  expect(sparkPath([1], 1, 20, 10)).toBe('')
  expect(sparkPath([0, 0], highest([[0, 0], [null]]), 20, 10)).toBe('M0.0 10.0L20.0 10.0')
})
