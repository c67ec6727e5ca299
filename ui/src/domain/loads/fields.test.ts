import { describe, expect, it } from 'vitest'

import { DEFAULTS, specOf, wholeNumber, wrongWith } from './fields'

describe('a load as typed', () => {
  it('starts with the numbers of the talk', () => {
    expect(specOf('put', DEFAULTS.put)).toEqual({
      workload: {
        kind: 'put',
        keySize: 8,
        valSize: 8,
        keySpaceSize: 100_000,
        sequentialKeys: true,
        compactIntervalS: null,
        compactIndexDelta: 1000,
      },
      clients: 1000,
      conns: 1000,
      total: 100_000_000,
      rate: null,
    })
    expect(specOf('range', DEFAULTS.range)).toEqual({
      workload: { kind: 'range', key: '/', rangeEnd: null, serializable: false },
      clients: 100,
      conns: 100,
      total: 100_000,
      rate: null,
    })
  })

  it('is no load while a field is wrong', () => {
    const text = { ...DEFAULTS.put.text, clients: '0' }
    expect(specOf('put', { ...DEFAULTS.put, text })).toBeNull()
  })

  it.each([
    ['1,000,000', 1_000_000],
    [' 12 ', 12],
    ['1e3', null],
    ['-1', null],
    ['', null],
  ])('reads %j as %s', (text, value) => expect(wholeNumber(text)).toBe(value))

  it.each([
    ['clients', '0', 'Clients: at least 1'],
    ['clients', 'many', 'Clients: a whole number'],
    ['clients', '', 'Clients: fill this in'],
    ['clients', '1000000', 'Clients: at most 100,000'],
    ['rate', '', undefined],
    ['rate', '0', 'Requests a second: at least 1'],
    ['key', '', 'Key: fill this in'],
  ] as const)('%s %j: %s', (name, text, said) => expect(wrongWith(name, text)).toBe(said))
})
