/** What is drawn on a chart beside its lines: thresholds, and moments that all charts share. */
import type uPlot from 'uplot'

import { format } from '$shared/format/format'

import { besideMark } from './ticks'
import type { Mark } from './types'

/** What to draw on, and with. */
export interface Pen {
  readonly u: uPlot
  readonly font: string
  /** Size of small type, px. */
  readonly em: number
  /** The value of a custom property, such as `--faint`. */
  readonly colour: (name: string) => string
}

const heightOf = (u: uPlot, value: number) => Math.round(u.valToPos(value, 'y', true)) + 0.5

/** A font for the canvas, whose pixels are the device's. */
const scaled = (font: string, ratio: number): string => font.replace(/^[\d.]+/, (size) => String(Number(size) * ratio))

/** Beneath the lines, thinner and fainter than any of them. */
export function drawThresholds({ u, colour }: Pen, values: readonly number[]): void {
  const { ctx } = u
  ctx.save()
  ctx.strokeStyle = colour('--faint')
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([devicePixelRatio, 4 * devicePixelRatio])
  for (const value of values) {
    const y = heightOf(u, value)
    ctx.beginPath()
    ctx.moveTo(u.bbox.left, y)
    ctx.lineTo(u.bbox.left + u.bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}

/** Over the lines, which they must be told from: each with a seam of the ground around it. */
export function nameThresholds({ u, font, colour }: Pen, values: readonly number[], unit: string): void {
  const { ctx } = u
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = scaled(font, ratio)
  ctx.textAlign = 'left'
  ctx.textBaseline = 'bottom'
  ctx.lineJoin = 'round'
  ctx.lineWidth = 4 * ratio
  ctx.strokeStyle = colour('--surface')
  ctx.fillStyle = colour('--faint')
  for (const value of values) {
    const y = heightOf(u, value)
    const text = format(value, unit)
    const [left, bottom] = [u.bbox.left + 4 * ratio, y - 2 * ratio]
    ctx.strokeText(text, left, bottom)
    ctx.fillText(text, left, bottom)
  }
  ctx.restore()
}

/** Where loads begin and end, each named on the side that has room. */
export function drawMarks({ u, font, em, colour }: Pen, marks: readonly Mark[]): void {
  const { ctx } = u
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = scaled(font, ratio)
  ctx.strokeStyle = ctx.fillStyle = colour('--muted')
  ctx.textBaseline = 'middle'
  ctx.lineWidth = ratio
  ctx.setLineDash([3 * ratio, 3 * ratio])
  const across = marks.map((mark) => Math.round(u.valToPos(mark.atS, 'x', true)) + 0.5)
  const gap = 4 * ratio
  // From the newest back: that one is looked for first, and has least room to its right.
  let free = u.bbox.left + u.bbox.width
  for (const [at, mark] of [...marks.entries()].reverse()) {
    const x = across[at] ?? 0
    ctx.beginPath()
    ctx.moveTo(x, u.bbox.top - em * 0.9 * ratio)
    ctx.lineTo(x, u.bbox.top + u.bbox.height)
    ctx.stroke()
    const texts = [mark.label, mark.short]
    const widths = texts.map((text) => ctx.measureText(text).width)
    const before = across[at - 1] ?? u.bbox.left
    const place = besideMark(widths, { right: free - x - gap, left: x - gap - before })
    free = x
    if (!place) continue
    const right = place.side === 'right'
    ctx.textAlign = right ? 'left' : 'right'
    ctx.fillText(texts[place.text] ?? '', right ? x + gap : x - gap, u.bbox.top - em * 0.45 * ratio)
    if (!right) free = x - gap * 2 - (widths[place.text] ?? 0)
  }
  ctx.restore()
}
