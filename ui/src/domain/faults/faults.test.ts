import { describe, expect, it } from 'vitest'

import type { LinkShape, LinkView } from '$shared/api/lab'

import { byUse, curlLine, shortFault, withPlaces } from './failpoints'
import { isChosen, OPEN, outOf, readShape, shortShape, typedShape } from './links'

describe('a failpoint', () => {
  it.each([
    ['walBeforeFdatasync', 'sleep(100)', 'fsync +100 ms'],
    ['walBeforeFdatasync', 'sleep(1000)', 'fsync +1 s'],
    ['defragBeforeCopy', 'sleep("10s")', 'defrag +10 s'],
    ['walBeforeFdatasync', '40.0%sleep(100)', 'fsync +100 ms, 40 %'],
    ['walBeforeFdatasync', '3*sleep(100)', 'fsync +100 ms, 3×'],
    ['walBeforeFdatasync', 'panic', 'fsync panic'],
    ['walBeforeFdatasync', '1*sleep(10)->panic', 'fsync 1*sleep(10)->panic'],
    ['somethingElse', 'sleep(5)', 'somethingElse sleep(5)'],
  ])('%s at %s is, in short, %s', (failpoint, term, text) => expect(shortFault({ failpoint, term })).toBe(text))

  it.each([
    ['walBeforeFdatasync sleep(100) on etcd-2', 'fsync sleep(100) on etcd-2'],
    ['someOther cleared, toString', 'someOther cleared, toString'],
  ])('%s is marked as %s', (text, marked) => expect(withPlaces(text)).toBe(marked))

  it('is listed by its use, each once', () => {
    expect(byUse(['zeta', 'defragBeforeCopy', 'alpha', 'walBeforeFdatasync', 'zeta'])).toEqual({
      useful: ['walBeforeFdatasync', 'defragBeforeCopy'],
      others: ['alpha', 'zeta'],
    })
  })

  it.each([
    [[11180], 'sleep(100)', "curl http://127.0.0.1:11180/f -XPUT -d'sleep(100)'"],
    [[11180, 21180], 'sleep("1s")', `curl http://127.0.0.1:{11180,21180}/f -XPUT -d'sleep("1s")'`],
    [[11180], "print('x')", String.raw`curl http://127.0.0.1:11180/f -XPUT -d'print('\''x'\'')'`],
  ])('is set at ports %s to %s by a line that can be typed', (ports, term, line) => {
    expect(
      curlLine(
        ports.map((port) => ({ gofailUrl: `http://127.0.0.1:${port}` })),
        'f',
        term,
      ),
    ).toBe(line)
  })
})

const shape = (part: Partial<LinkShape>): LinkShape => ({ ...OPEN, ...part })
const link = (from: string, to: string, part: Partial<LinkShape>): LinkView => ({
  from,
  to,
  shape: shape(part),
  rateBytesS: 0,
  heldMs: null,
  connections: 0,
})

describe('a link', () => {
  it.each([
    [{}, ''],
    [{ delayMs: 100 }, '+100 ms'],
    [{ delayMs: 1000, jitterMs: 20 }, '+1 s ±20 ms'],
    [{ bandwidthBytesS: 1_000_000 }, '≤ 1 MB/s'],
    [{ delayMs: 100, cut: true }, 'cut'],
  ])('%j is, in short, %s', (part, text) => expect(shortShape(shape(part))).toBe(text))

  it('stands at its sender, with those to which the same is done, cut ones first', () => {
    const links = [
      link('a', 'b', { delayMs: 100 }),
      link('a', 'c', { cut: true }),
      link('a', 'd', { delayMs: 100 }),
      link('a', 'e', {}),
      link('b', 'a', { delayMs: 100 }),
    ]
    expect(outOf('a', links).map(({ text, links }) => [text, links.map(({ to }) => to)])).toEqual([
      ['cut', ['c']],
      ['+100 ms', ['b', 'd']],
    ])
    expect(outOf('a', null)).toEqual([])
  })

  it('is chosen by its ends, every member where none is named', () => {
    expect(isChosen({ from: [], to: [] }, 'a', 'b')).toBe(true)
    expect(isChosen({ from: ['a'], to: [] }, 'a', 'b')).toBe(true)
    expect(isChosen({ from: ['a'], to: ['c'] }, 'a', 'b')).toBe(false)
  })

  it('is read as it was typed', () => {
    const typed = { delay: '1,000', jitter: '', bandwidth: '77.5', cut: false }
    const read = readShape(typed)
    expect(read.shape).toEqual({ delayMs: 1000, jitterMs: 0, bandwidthBytesS: 77_500, cut: false })
    expect(readShape(typedShape(read.shape ?? OPEN)).shape).toEqual(read.shape)
  })
  it.each([
    ['delay', 'soon'],
    ['jitter', '-1'],
    ['bandwidth', '0'],
    ['delay', '99999999999'],
  ] as const)('can’t be read with %s %s', (name, text) => {
    const { shape, wrong } = readShape({ delay: '', jitter: '', bandwidth: '', cut: false, [name]: text })
    expect(shape).toBeNull()
    expect([...wrong]).toEqual([name])
  })
})
