import { describe, expect, it } from 'vitest'

import { DEFAULTS, refusedField, specOf, wholeNumber, wrongWith } from './fields'

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
    const text = { ...DEFAULTS.put.text, clients: 'many' }
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
    ['clients', 'many', 'Clients: a whole number'],
    ['clients', '', 'Clients: fill this in'],
    ['clients', '0', undefined],
    ['clients', '4294967296', 'Clients: at most 4,294,967,295'],
    ['total', '9007199254740992', 'Requests in all: at most 9,007,199,254,740,991'],
    ['rate', '', undefined],
    ['key', '', 'Key: fill this in'],
  ] as const)('%s %j: %s', (name, text, said) => expect(wrongWith(name, text)).toBe(said))

  it.each([
    ['put', '--clients: must be at least 1, not 0.', 'clients', 'Clients: must be at least 1, not 0'],
    ['range', 'KEY: etcd refuses a range without a key.', 'key', 'Key: etcd refuses a range without a key'],
    ['range', '--key-size: at most 9.', undefined, undefined],
    ['put', 'No member can be reached.', undefined, undefined],
  ] as const)('finds in what the lab says of a %s load, %j, the field', (kind, sentence, name, said) => {
    expect(refusedField(kind, sentence)).toEqual(name && { name, said })
  })
})
