import { describe, expect, it } from 'vitest'

import { axisFor, extent, roundStep, spread, timeTicks } from './ticks'

describe('a round step', () => {
  it.each([
    [0.034, false, 0.05],
    [1, false, 1],
    [1.1, false, 2],
    [2.3, false, 2.5],
    [370, false, 500],
    [30_000_000, true, 32 * 1024 * 1024],
    [700 * 1024, true, 1024 * 1024],
  ])('at least %s (binary %s) is %s', (raw, binary, step) => expect(roundStep(raw, binary)).toBeCloseTo(step, 9))
})

describe('an axis', () => {
  it('starts at zero and ends at a grid line above the data', () => {
    expect(axisFor(30, 127, { lines: 3 })).toEqual({ min: 0, max: 150, ticks: [0, 50, 100, 150] })
  })
  it('shows zero when everything is zero', () => {
    expect(axisFor(0, 0)).toEqual({ min: 0, max: 1, ticks: [0, 1] })
  })
  it('goes below zero only with the data', () => {
    expect(axisFor(-3, 4, { lines: 4 }).min).toBe(-4)
  })
  it('keeps fixed ends', () => {
    const axis = axisFor(0.2, 0.4, { min: 0, max: 1 })
    expect([axis.min, axis.max]).toEqual([0, 1])
  })
})

describe('the time axis', () => {
  it.each([
    [120, 3, ['2 min', '1 min', 'now']],
    [300, 6, ['5 min', '4 min', '3 min', '2 min', '1 min', 'now']],
    [900, 4, ['15 min', '10 min', '5 min', 'now']],
    [900, 3, ['10 min', 'now']],
  ])('over %s s with room for %s', (range, room, texts) => {
    expect(timeTicks(range, room, 'now').map((tick) => tick.text)).toEqual(texts)
  })
})

describe('labels at the ends of lines', () => {
  it('are moved apart and keep their order', () => {
    expect(spread([50, 51, 49], 12, 0, 200)).toEqual([61, 73, 49])
  })
  it('stay inside', () => {
    expect(spread([99, 100], 12, 0, 100)).toEqual([88, 100])
  })
})

describe('the extent of what is drawn', () => {
  it('is that of the times that can be seen', () => {
    expect(extent([1, 2, 3, 4], [[90, 5, 7, null]], 2, 4)).toEqual({ low: 5, high: 7 })
    expect(extent([1], [[5]], 2, 4)).toEqual({ low: 0, high: 0 })
  })
  it('leaves out the -1 that stands for never, beside real amounts only', () => {
    expect(extent([1, 2], [[-1, 9], [3]], 1, 2)).toEqual({ low: 3, high: 9 })
    expect(extent([1, 2], [[-1, 9], [-3]], 1, 2)).toEqual({ low: -3, high: 9 })
    expect(extent([1, 2], [[-1, -1]], 1, 2)).toEqual({ low: -1, high: -1 })
    expect(extent([1, 2], [[-1, 0]], 1, 2)).toEqual({ low: -1, high: 0 })
  })
})
