import { describe, expect, it } from 'vitest'

import type { PanelFrame, PanelView, SeriesFrame } from '$shared/api/lab'

import { firstSentence, lastValue, legendOf, linesOf, pointCount, statText, titleParts } from './series'

const series = (member: string | null, target: number, labels = {}, values: (number | null)[] = [1]): SeriesFrame => ({
  name: `${member ?? 'all'} ${target}`,
  member,
  labels: member === null ? labels : { instance: member, ...labels },
  target,
  values,
})
const frame = (...all: SeriesFrame[]): PanelFrame => ({
  panel: { dashboard: 'a', panel: 1 },
  series: all,
  problem: null,
})
const PANEL = {
  targets: [
    { expr: '', legend: '{{instance}} {{grpc_code}}' },
    { expr: '', legend: '{{instance}} failed' },
  ],
}
const indexOf = (member: string) => Number(member.at(-1)) - 1

describe('a panel’s lines', () => {
  it('take the colour of their member, and the neutral one without', () => {
    const lines = linesOf(frame(series('etcd-1', 0), series('etcd-3', 0), series(null, 0)), PANEL, indexOf)
    expect(lines.map((line) => line.colour)).toEqual(['--m0', '--m2', '--other'])
  })

  it('tell the lines of one member apart by dash, the same dash for the same kind', () => {
    const lines = linesOf(
      frame(
        series('etcd-1', 0, { grpc_code: 'Unavailable' }),
        series('etcd-1', 0, { grpc_code: 'OK' }),
        series('etcd-2', 0, { grpc_code: 'OK' }),
      ),
      PANEL,
      indexOf,
    )
    expect(lines[1]?.dash).toEqual([])
    expect(lines[2]?.dash).toEqual([])
    expect(lines[0]?.dash).not.toEqual([])
  })

  it('draw the first query solid and the second dashed', () => {
    const lines = linesOf(frame(series('etcd-1', 0), series('etcd-1', 1), series('etcd-2', 1)), PANEL, indexOf)
    expect(lines[0]?.dash).toEqual([])
    expect(lines[1]?.dash).toEqual(lines[2]?.dash)
    expect(lines[1]?.dash).not.toEqual([])
  })
})

describe('a panel’s legend', () => {
  const legend = (...all: SeriesFrame[]) =>
    legendOf(linesOf(frame(...all), PANEL, indexOf)).map(({ dash, text }) => [dash.length > 0, text])

  it('says what a member’s lines are, each kind once, the solid one first', () => {
    expect(
      legend(
        series('etcd-1', 0, { grpc_code: 'Unavailable' }),
        series('etcd-1', 0, { grpc_code: 'OK' }),
        series('etcd-2', 0, { grpc_code: 'OK' }),
      ),
    ).toEqual([
      [false, 'OK'],
      [true, 'Unavailable'],
    ])
    expect(legend(series('etcd-1', 0, { grpc_code: 'OK' }), series('etcd-1', 1))).toEqual([
      [false, 'OK'],
      [true, 'failed'],
    ])
  })
  it('says a peer by its name where its id is known', () => {
    const panel = { targets: [{ expr: '', legend: '{{instance}} to {{To}}' }] }
    const lines = linesOf(
      frame(series('etcd-1', 0, { To: 'bd388e' }), series('etcd-1', 0, { To: '0' })),
      panel,
      indexOf,
      (id) => (id === 'bd388e' ? 'etcd-3' : id),
    )
    expect(legendOf(lines).map(({ text }) => text)).toEqual(['to 0', 'to etcd-3'])
  })
  it('is not there where colours tell all lines apart', () => {
    expect(legend(series('etcd-1', 0, { grpc_code: 'OK' }), series('etcd-2', 0, { grpc_code: 'OK' }))).toEqual([])
    expect(legend(series('etcd-1', 0), series(null, 0))).toEqual([])
  })
})

describe('what a panel shows', () => {
  it('counts points that have a value', () => {
    expect(pointCount(frame(series('etcd-1', 0, {}, [1, null, 0]), series('etcd-2', 0, {}, [null])))).toBe(2)
    expect(pointCount(undefined)).toBe(0)
  })
  it('has the last value of the first line that goes on', () => {
    expect(lastValue(frame(series('etcd-1', 0, {}, [1, null]), series('etcd-2', 0, {}, [3, 4])))).toBe(4)
    expect(lastValue(frame())).toBeNull()
  })
  it.each([
    ['disk: wal fsync duration p99', 'disk', 'wal fsync duration p99'],
    ['RPC Rate', '', 'RPC Rate'],
    ['The number of leader changes: all', '', 'The number of leader changes: all'],
  ])('takes the title %j apart', (title, place, rest) => {
    expect(titleParts({ title } as PanelView)).toEqual({ place, title: rest })
  })
  it.each([
    ['Puts a second. Normal: as many as are sent.', 'Puts a second.'],
    ['Below 0.5 s all is well. Above, not.', 'Below 0.5 s all is well.'],
    ['', ''],
  ])('says of %j what comes first', (description, first) => {
    expect(firstSentence({ description } as PanelView)).toBe(first)
  })
})

describe('a single value', () => {
  const panel = { unit: 'short', mappings: [{ value: 1, text: 'Yes' }] } as unknown as PanelView

  it('is the text the dashboard has for it, or the figure', () => {
    expect(statText(panel, 1)).toBe('Yes')
    expect(statText(panel, 3)).toBe('3')
  })
})
