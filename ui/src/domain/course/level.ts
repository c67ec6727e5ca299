/** Where a level stands on its axis, and back: linear or logarithmic. Pure. */
import type { LevelView } from '$shared/api/lab'

type Axis = Pick<LevelView, 'min' | 'max' | 'logarithmic'>

/** Steps a slider has from end to end. */
export const SLIDER_STEPS = 200
const DIGITS = 2

/** 0 at the lowest level, 1 at the highest. */
export function shareAt({ min, max, logarithmic }: Axis, level: number): number {
  if (max <= min) return 0
  const share = logarithmic
    ? (Math.log(level) - Math.log(min)) / (Math.log(max) - Math.log(min))
    : (level - min) / (max - min)
  return Math.min(1, Math.max(0, share))
}

/** The level at a share of the axis, as exact as a hand can mean it. */
export function levelAt(axis: Axis, share: number): number {
  const { min, max, logarithmic } = axis
  const at = Math.min(1, Math.max(0, share))
  const level = logarithmic ? Math.exp(Math.log(min) + at * (Math.log(max) - Math.log(min))) : min + at * (max - min)
  return Math.min(max, Math.max(min, Number(level.toPrecision(DIGITS))))
}

/** Levels that the axis names: powers of ten, or five even parts. */
export function ticksOf({ min, max, logarithmic }: Axis): number[] {
  if (!logarithmic) return Array.from({ length: 5 }, (_, at) => min + (at * (max - min)) / 4)
  const first = Math.ceil(Math.log10(min) - 1e-9)
  const last = Math.floor(Math.log10(max) + 1e-9)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => 10 ** (first + at))
}
