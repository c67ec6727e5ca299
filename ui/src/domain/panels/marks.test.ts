import { expect, it } from 'vitest'

import type { LoadView, Mark as LabMark } from '$shared/api/lab'

import { chartMarks } from './marks'

const load = (kind: string, startedMs: number) =>
  ({ spec: { workload: { kind } }, state: { name: 'running' }, startedMs, elapsedS: 1 }) as unknown as LoadView
const mark = (atS: number, kind: LabMark['kind'], text: string): LabMark => ({ id: atS, atS, kind, text })
const seen = (loads: LoadView[], marks: LabMark[]) =>
  chartMarks(loads, marks).map(({ atS, label, tone }) => [atS, label, tone])

it('shows loads and what the lab marks in order of time, faults apart', () => {
  expect(
    seen([load('put', 50_000)], [mark(80.4, 'fault', 'sleep(100) on all'), mark(70, 'step', 'All disks')]),
  ).toEqual([
    [50, 'put starts', 'quiet'],
    [70, 'All disks', 'quiet'],
    [80, 'sleep(100) on all', 'fault'],
  ])
})

it('makes one mark of moments that can’t be told apart, but never of a fault and something else', () => {
  expect(
    seen(
      [load('put', 50_000), load('range', 51_000)],
      [mark(51, 'fault', 'sleep(100)'), mark(52, 'fault', 'sleep(100)'), mark(52.2, 'fault', 'cut')],
    ),
  ).toEqual([
    [50, 'put starts, range starts', 'quiet'],
    [51, 'sleep(100), cut', 'fault'],
  ])
})

it.each([
  ['etcd-3 cut off', 'etcd-3 cut off'],
  ['walBeforeFdatasync sleep(100) on all members', 'fsync sleep(100)'],
  ['walBeforeFdatasync cleared on etcd-2', 'fsync cleared on'],
  ['compactBeforeCommitScheduledCompact', 'compactBeforeComm…'],
])('says of %s, where room is short, %s', (text, short) => {
  expect(chartMarks([], [mark(1, 'fault', text)])[0]?.short).toBe(short)
})
