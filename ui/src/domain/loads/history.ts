/** A load's seconds, ready to be drawn. Pure. */
import type { LoadPoint } from '$shared/api/lab'

export type DrawnPoint = Pick<LoadPoint, 'atS' | 'p50S' | 'p90S' | 'p99S'>

/** A load tells of itself each second; further apart, there was a time that nobody knows of. */
const APART_S = 2

/** The points, and where seconds are missing between two of them, one without values: a line must not cross there. */
export function withGaps(history: readonly LoadPoint[]): DrawnPoint[] {
  const drawn: DrawnPoint[] = []
  for (const point of history) {
    const last = drawn.at(-1)
    if (last && point.atS - last.atS > APART_S) {
      drawn.push({ atS: (last.atS + point.atS) / 2, p50S: null, p90S: null, p99S: null })
    }
    drawn.push(point)
  }
  return drawn
}
