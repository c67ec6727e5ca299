/** The strokes of one arrow, as SVG paths. `heavy` is how much thicker than usual it is, px. Pure. */
import type { PlacedStep } from './layout'

const isWithin = ({ from, to }: PlacedStep) => from === to
const way = ({ from, to }: PlacedStep) => (to >= from ? 1 : -1)

/** The line; a step within a lane leaves it and comes back. */
export function shaft(placed: PlacedStep, em: number, heavy = 0): string {
  const { from, to, y } = placed
  if (isWithin(placed)) return `M${from} ${y - em * 0.78}h${em * 1.6}v${em * 0.9}h${-em * 1.6 + heavy}`
  return `M${from} ${y}H${to - way(placed) * (heavy + 1)}`
}

/** The head: closed for a call, open for what nobody waits for and for an answer. */
export function head(placed: PlacedStep, em: number, heavy = 0): string {
  const long = em * 0.5 + heavy * 1.2
  const half = em * 0.28 + heavy * 0.8
  const y = isWithin(placed) ? placed.y + em * 0.12 : placed.y
  const back = placed.to - (isWithin(placed) ? -1 : way(placed)) * long
  const open = placed.step.kind === 'message' || placed.step.kind === 'return'
  return `M${back} ${y - half}L${placed.to} ${y}L${back} ${y + half}${open ? '' : 'Z'}`
}

/** How much a warm arrow grows: less where it turns on itself, so that its loop stays open. */
export const weight = (placed: PlacedStep, warmth: number) => ({
  shaft: warmth * 4,
  head: warmth * (isWithin(placed) ? 2 : 3),
  stroke: 1.5 + warmth * (isWithin(placed) ? 2.5 : 4),
})
