import { describe, expect, it } from 'vitest'

import cases from './cases.json'
import { format, formatAxis, formatElapsed } from './format'

describe('a value with its unit', () => {
  it.each(cases.values)('$value in $unit reads $text', ({ unit, value, text }) => {
    expect(format(value, unit)).toBe(text)
  })
  it('shows a dash for what is no number', () => {
    expect(format(Number.NaN, 's')).toBe('–')
    expect(format(Number.POSITIVE_INFINITY, 'ops')).toBe('–')
  })
})

describe('labels of an axis', () => {
  it.each(cases.axes)('$ticks in $unit', ({ unit, ticks, texts }) => {
    expect(formatAxis(ticks, unit)).toEqual(texts)
  })
})

describe('a running clock', () => {
  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
  ])('%s s reads %s', (seconds, text) => expect(formatElapsed(seconds)).toBe(text))
})
