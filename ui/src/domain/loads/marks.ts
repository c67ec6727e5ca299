/** Moments that every chart shows: when loads began and ended. Pure. */
import type { LoadView } from '$shared/api/lab'
import type { Mark } from '$shared/chart/types'

export function loadMarks(loads: Iterable<LoadView>): Mark[] {
  const marks: Mark[] = []
  for (const load of loads) {
    const { kind } = load.spec.workload
    const began = Math.round(load.startedMs / 1000)
    marks.push({ atS: began, label: `${kind} starts`, short: kind })
    const { name } = load.state
    if (name === 'ended' || name === 'failed') {
      marks.push({ atS: Math.round(began + load.elapsedS), label: `${kind} ends`, short: `${kind}\u00a0■` })
    }
  }
  return marks.sort((a, b) => a.atS - b.atS).reduce<Mark[]>(joined, [])
}

/** Seconds within which two moments are one line with both labels. */
const TOGETHER_S = 2

function joined(marks: Mark[], mark: Mark): Mark[] {
  const last = marks.at(-1)
  if (!last || mark.atS - last.atS > TOGETHER_S) return [...marks, mark]
  const both = { ...last, label: `${last.label}, ${mark.label}`, short: `${last.short}, ${mark.short}` }
  return [...marks.slice(0, -1), both]
}
