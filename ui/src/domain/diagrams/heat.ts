/**
 * Where the time goes now: how warm each arrow of a diagram is. Only measured durations are warm; nothing is
 * estimated. Pure.
 */
import type { ArrowFrame, Diagram, Step } from '$shared/api/lab'

/**
 * etcd's own advice is a p99 of less than 10 ms for a WAL fsync and 25 ms for a backend commit
 * (etcd.io/docs, "FAQ: Performance"): below the first nothing glows, from ten times that on it glows fully.
 */
const COLD_S = 0.01
const HOT_S = 0.1

/** A step's duration at its slowest member, in seconds; `null` when it has none, or doesn't compete for the time. */
export function slowestS(step: Step, arrow: ArrowFrame | undefined): number | null {
  if (step.measure.by !== 'metric' || !step.measure.hot || !arrow) return null
  const values = arrow.values.map((each) => each.value).filter((value): value is number => value !== null)
  return values.length === 0 ? null : Math.max(...values)
}

/** Warmth from 0 to 1 by step number: how slow, and how large a part of all that is measured. */
export function heatOf(diagram: Diagram, arrows: ReadonlyMap<number, ArrowFrame> | undefined): Map<number, number> {
  const parts = diagram.steps
    .map((step, at) => ({ number: at + 1, slow: slowestS(step, arrows?.get(at + 1)) }))
    .filter((part): part is { number: number; slow: number } => part.slow !== null)
  const longest = Math.max(0, ...parts.map((part) => part.slow))
  return new Map(
    parts.map(({ number, slow }) => {
      const glow = Math.log(slow / COLD_S) / Math.log(HOT_S / COLD_S)
      const share = longest > 0 ? slow / longest : 0
      return [number, Math.min(1, Math.max(0, glow)) * share ** 0.7]
    }),
  )
}

/** Whether the diagram can say where the time goes. */
export const warms = (diagram: Diagram): boolean =>
  diagram.steps.some((step) => step.measure.by === 'metric' && step.measure.hot)
