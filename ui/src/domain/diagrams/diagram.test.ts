import { describe, expect, it } from 'vitest'

import type { ArrowFrame, Diagram, Measure, Step } from '$shared/api/lab'

import { heatOf } from './heat'
import { layOut, shortened } from './layout'
import { isMoving, prominent } from './pick'
import { stepAfter } from './walk'

const metric = (kind: 'latency' | 'rate' | 'gauge', hot = false): Measure => ({
  by: 'metric',
  name: 'm',
  query: 'm',
  unit: kind === 'latency' ? 's' : 'short',
  statistic: '',
  kind,
  hot,
  means: '',
})
const NOTHING: Measure = { by: 'nothing', why: '' }
const step = (from: string, to: string, measure: Measure, label = 'step'): Step => ({
  from,
  to,
  label,
  kind: from === to ? 'within' : 'call',
  about: '',
  source: [],
  measure,
})
const lane = (id: string, group = id) => ({ id, title: id, group, about: '' })
const arrow = (number: number, ...values: (number | null)[]): [number, ArrowFrame] => [
  number,
  { step: number, values: values.map((value, at) => ({ member: `etcd-${at + 1}`, value, recent: [] })) },
]

const diagram: Diagram = {
  id: 'd',
  title: 'D',
  about: '',
  mermaid: '',
  lanes: [lane('grpc'), lane('server'), lane('wal'), lane('backend')],
  steps: [
    step('grpc', 'server', NOTHING),
    step('wal', 'wal', metric('latency', true), 'wal_fsync_duration_seconds.Observe()'),
    step('server', 'backend', metric('latency', true)),
    step('grpc', 'grpc', metric('latency')),
    step('server', 'grpc', metric('rate')),
  ],
}

describe('where the time goes', () => {
  it('is the slow fsync, not the whole request', () => {
    const heat = heatOf(diagram, new Map([arrow(2, 0.127, 0.12, 0.13), arrow(3, 0.012), arrow(4, 0.9), arrow(5, 4000)]))
    expect(heat.get(2)).toBe(1)
    expect(heat.get(3)).toBeLessThan(0.1)
    expect([...heat.keys()]).toEqual([2, 3])
  })
  it('is nowhere on a healthy disk', () => {
    const heat = heatOf(diagram, new Map([arrow(2, 0.002, 0.003), arrow(3, 0.008)]))
    expect([...heat.values()]).toEqual([0, 0])
  })
  it('is at the slowest member', () => {
    expect(heatOf(diagram, new Map([arrow(2, 0.001, null, 0.2)])).get(2)).toBe(1)
  })
  it('is not made up where nothing measures', () => {
    expect(heatOf(diagram, undefined).size).toBe(0)
  })
})

describe('the value on an arrow', () => {
  const of = (at: number) => diagram.steps[at] as Step
  it('is the slowest member’s for a duration', () => {
    expect(prominent(of(1), arrow(2, 0.1, 0.3, null)[1], 'etcd-1')?.member).toBe('etcd-2')
  })
  it('is the leader’s for anything else, and the highest without a leader', () => {
    expect(prominent(of(4), arrow(5, 10, 30)[1], 'etcd-1')?.value).toBe(10)
    expect(prominent(of(4), arrow(5, 10, 30)[1], undefined)?.value).toBe(30)
    expect(prominent(of(4), arrow(5, null, 30)[1], 'etcd-1')?.value).toBe(30)
  })
  it('is none where nothing measures', () => {
    expect(prominent(of(0), arrow(1, 5)[1], 'etcd-1')).toBeNull()
  })
  it('moves when it is above zero somewhere', () => {
    expect(isMoving(arrow(5, 0, 0)[1])).toBe(false)
    expect(isMoving(arrow(5, 0, 1)[1])).toBe(true)
    expect(isMoving(undefined)).toBe(false)
  })
})

describe('the layout', () => {
  const room = { width: 400, height: 300, em: 12, side: 60 }

  it('keeps lanes in order, inside, and words inside', () => {
    const plan = layOut(diagram, room)
    const xs = plan.lanes.map((each) => each.x)
    expect([...xs].sort((a, b) => a - b)).toEqual(xs)
    expect(plan.right).toBe(340)
    expect(Math.max(...xs)).toBeLessThanOrEqual(plan.right)
    for (const placed of plan.steps) {
      expect(placed.textX).toBeGreaterThan(0)
      expect(placed.textX).toBeLessThanOrEqual(plan.right)
    }
  })
  it.each([
    ['wal_fsync_duration_seconds.Observe()', 40, 'wal_fsync_duration_seconds.Observe()'],
    ['wal_fsync_duration_seconds.Observe()', 20, 'wal_fsync'],
    ['wal_fsync_duration_seconds.Observe()', 8, 'fsync'],
    ['handling_seconds.Observe()', 9, 'handling'],
    ['proposals_committed_total.Set()', 19, 'proposals_committed'],
    ['proposals_committed_total.Set()', 12, 'committed'],
    ['write to the channel', 7, 'write…'],
  ])('says of %s, in %s letters, %s', (label, letters, expected) => {
    expect(shortened(label, letters)).toBe(expected)
  })
  it('leaves a label whole that has room', () => {
    expect(layOut(diagram, { ...room, width: 1200 }).steps[1]?.label).toBe('wal_fsync_duration_seconds.Observe()')
  })
  it('fills the height with its rows, within reason', () => {
    expect(layOut(diagram, { ...room, height: 200 }).rowHeight).toBeLessThan(
      layOut(diagram, { ...room, height: 260 }).rowHeight,
    )
    expect(layOut(diagram, { ...room, height: 5000 }).rowHeight).toBeCloseTo(12 * 3.4)
  })
})

it.each([
  ['ArrowDown', null, 1],
  ['j', 2, 3],
  ['j', 5, 5],
  ['ArrowUp', null, 5],
  ['k', 1, 1],
  ['Home', 4, 1],
  ['End', null, 5],
  ['x', 2, null],
])('the key %s leads from step %s to %s', (key, from, to) => expect(stepAfter(key, from, 5)).toBe(to))
