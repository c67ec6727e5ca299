/** When loads began and ended, as moments on charts. Pure. */
import type { LoadView } from '$shared/api/lab'
import type { Mark } from '$shared/chart/types'

export function loadMarks(loads: Iterable<LoadView>): Mark[] {
  const marks: Mark[] = []
  for (const load of loads) {
    const { kind } = load.spec.workload
    const began = Math.round(load.startedMs / 1000)
    marks.push({ atS: began, label: `${kind} starts`, short: kind, tone: 'quiet' })
    const { name } = load.state
    if (name === 'ended' || name === 'failed') {
      const ended = Math.round(began + load.elapsedS)
      marks.push({ atS: ended, label: `${kind} ends`, short: `${kind}\u00a0■`, tone: 'quiet' })
    }
  }
  return marks.sort((a, b) => a.atS - b.atS)
}
