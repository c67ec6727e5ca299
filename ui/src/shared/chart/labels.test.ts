import { expect, it } from 'vitest'

import { placeNames, type Wanted } from './labels'

const mark = (x: number, widths: number[], urgent = false): Wanted => ({ x, widths, urgent })
const names = (...marks: Wanted[]) =>
  placeNames(marks, 0, 100, 2).map(({ name, tall }) => [name?.form, name?.left, tall])

it('puts a name to the right of its line, else to its left, else a shorter one', () => {
  expect(names(mark(10, [40, 10]))).toEqual([[0, 12, true]])
  expect(names(mark(80, [40, 10]))).toEqual([[0, 38, true]])
  expect(names(mark(50, [60, 10]))).toEqual([[1, 52, true]])
  expect(names(mark(50, [60]))).toEqual([[undefined, undefined, true]])
})

it('gives the newest its place first, and the urgent before all', () => {
  expect(names(mark(20, [50, 10]), mark(40, [50, 10]))).toEqual([
    [1, 22, true],
    [0, 42, true],
  ])
  expect(names(mark(20, [50, 10], true), mark(40, [50, 10]))).toEqual([
    [0, 22, true],
    [undefined, undefined, false],
  ])
})

it('lays no name over another, nor over a line that reaches up', () => {
  const marks = [12, 30, 31, 55, 56, 90].map((x, at) => mark(x, [30, 12, 5], at % 3 === 0))
  const placed = placeNames(marks, 0, 100, 2)
  const spans = placed.flatMap(({ name }, at) =>
    name ? [[name.left, name.left + (marks[at]?.widths[name.form] ?? 0)] as const] : [],
  )
  expect(spans.length).toBeGreaterThan(2)
  for (const [left, right] of spans) {
    expect(left).toBeGreaterThanOrEqual(0)
    expect(right).toBeLessThanOrEqual(100)
    expect(spans.filter(([l, r]) => l < right && r > left)).toHaveLength(1)
    expect(placed.filter(({ tall }, at) => tall && (marks[at]?.x ?? 0) > left && (marks[at]?.x ?? 0) < right)).toEqual(
      [],
    )
  }
})
