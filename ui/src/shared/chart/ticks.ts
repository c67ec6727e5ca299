/** Where an axis ends and where its grid lines stand: round numbers, few of them. Pure. */

const DECIMAL = [1, 2, 2.5, 5, 10]
const BINARY = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** The smallest round step that is at least `raw`. */
export function roundStep(raw: number, binary: boolean): number {
  if (!(raw > 0)) return 1
  const base = binary && raw >= 1 ? 1024 : 10
  const unit = base ** Math.floor(Math.log(raw) / Math.log(base))
  const among = base === 1024 ? BINARY : DECIMAL
  const factor = among.find((each) => each * unit >= raw * (1 - 1e-9)) ?? base
  return factor * unit
}

export interface Axis {
  readonly min: number
  readonly max: number
  readonly ticks: number[]
}

/**
 * An axis that holds `low…high`, with zero on it, `lines` intervals at most, and ends at a grid line above the
 * data. Fixed ends are kept as they are. All-zero data gets an axis to 1, so that the zero line is seen as such.
 */
export function axisFor(
  low: number,
  high: number,
  { lines = 4, binary = false, min = null as number | null, max = null as number | null } = {},
): Axis {
  const from = min ?? Math.min(0, low)
  const to = max ?? Math.max(0, high)
  if (!(to > from)) return { min: from, max: from + 1, ticks: [from, from + 1] }
  const step = roundStep((to - from) / lines, binary)
  const start = min ?? Math.floor(from / step + 1e-9) * step
  const end = max ?? Math.ceil(to / step - 1e-9) * step
  const ticks: number[] = []
  for (let index = 0; start + index * step <= end + step * 1e-6; index += 1) {
    const tick = start + index * step
    ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : Number(tick.toPrecision(12)))
  }
  return { min: start, max: end, ticks }
}

/** Seconds before the axis' end at which it is labelled, and what it says there; `end` is what the end is called. */
export function timeTicks(rangeS: number, roomFor: number, end: string): { beforeS: number; text: string }[] {
  const steps = [30, 60, 120, 300, 600, 900, 1800]
  const step = steps.find((each) => rangeS / each + 1 <= roomFor) ?? rangeS
  const ticks: { beforeS: number; text: string }[] = []
  for (let beforeS = Math.floor(rangeS / step) * step; beforeS >= 0; beforeS -= step) {
    ticks.push({ beforeS, text: beforeS === 0 ? end : beforeS % 60 ? `${beforeS} s` : `${beforeS / 60} min` })
  }
  return ticks
}

/** A metric says -1 for "never yet": no amount, so the axis makes no room for it once there are real ones. */
const NEVER = -1

/**
 * The lowest and the highest of the values at times in `from…to`: what can't be seen doesn't stretch the axis.
 * Zero and zero when there are none.
 */
export function extent(
  times: readonly number[],
  lines: readonly (readonly (number | null)[])[],
  from: number,
  to: number,
): { low: number; high: number } {
  let low = Infinity
  let high = -Infinity
  let never = false
  for (const values of lines) {
    values.forEach((value, at) => {
      const time = times[at]
      if (value === null || time === undefined || time < from || time > to) return
      if (value === NEVER) {
        never = true
        return
      }
      if (value < low) low = value
      if (value > high) high = value
    })
  }
  if (never && (low < 0 || !(high > 0))) [low, high] = [Math.min(low, NEVER), Math.max(high, NEVER)]
  return { low: Number.isFinite(low) ? low : 0, high: Number.isFinite(high) ? high : 0 }
}

/** Spreads labels so that none covers another: keeps their order, moves each as little as a single pass allows. */
export function spread(wanted: readonly number[], height: number, low: number, high: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] as number) - (wanted[b] as number))
  const placed = [...wanted]
  let next = low
  for (const index of order) {
    placed[index] = Math.max(wanted[index] as number, next)
    next = (placed[index] as number) + height
  }
  let ceiling = high
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index] as number, ceiling)
    ceiling = (placed[index] as number) - height
  }
  return placed
}
