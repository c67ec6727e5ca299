/** Which of an arrow's values stands on it when there is room for one. Pure. */
import type { ArrowFrame, ArrowValue, Step } from '$shared/api/lab'

/** The slowest member of a duration; of anything else the leader's value, as a put is the leader's work. */
export function prominent(step: Step, arrow: ArrowFrame | undefined, leader: string | undefined): ArrowValue | null {
  if (step.measure.by !== 'metric' || !arrow) return null
  const known = arrow.values.filter((each) => each.value !== null)
  if (step.measure.kind !== 'latency') {
    const leaders = known.find((each) => each.member === leader)
    if (leaders) return leaders
  }
  return known.reduce<ArrowValue | null>(
    (best, each) => (best === null || (each.value ?? 0) > (best.value ?? 0) ? each : best),
    null,
  )
}

/** Whether anything moves along the arrow at some member. */
export const isMoving = (arrow: ArrowFrame | undefined): boolean =>
  arrow?.values.some((each) => (each.value ?? 0) > 0) ?? false
