/** What is drawn on a chart beside its lines: thresholds, and moments that all charts share. */
import type uPlot from 'uplot'

import { format } from '$shared/format/format'
import { glyph } from '$shared/ui/icons'

import { placeNames } from './labels'
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

/** Icons are drawn on a grid of so many units. */
const GRID = 16

/**
 * Moments, each named beside its line where the names have room. A fault is in the colour of faults and bears its
 * glyph; everything else is quiet.
 */
export function drawMarks({ u, font, em, colour }: Pen, marks: readonly Mark[]): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  const gap = 4 * ratio
  const side = em * ratio
  ctx.save()
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  ctx.lineWidth = ratio
  const plain = scaled(font, ratio)
  const fonts = { quiet: plain, fault: `600 ${plain}` }
  const wanted = marks.map(({ atS, label, short, tone }) => {
    ctx.font = fonts[tone]
    const lead = tone === 'fault' ? side : 0
    const widths = [label, short].map((text) => ctx.measureText(text).width + lead)
    const x = Math.round(u.valToPos(atS, 'x', true)) + 0.5
    return { x, widths: tone === 'fault' ? [...widths, side] : widths, urgent: tone === 'fault' }
  })
  const placed = placeNames(wanted, bbox.left, bbox.left + bbox.width + side * 2, gap)
  // Faults last, over what is quiet.
  const order = [...marks.entries()].sort(([, a], [, b]) => Number(a.tone === 'fault') - Number(b.tone === 'fault'))
  for (const [at, { label, short, tone }] of order) {
    const x = wanted[at]?.x ?? 0
    const { name, tall } = placed[at] ?? { name: null, tall: false }
    ctx.strokeStyle = ctx.fillStyle = colour(tone === 'fault' ? '--hot' : '--muted')
    ctx.setLineDash(tone === 'fault' ? [4 * ratio, 2 * ratio] : [3 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top - (tall ? side * 0.9 : 0))
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    if (!name) continue
    const middle = bbox.top - side * 0.45
    let { left } = name
    if (tone === 'fault') {
      drawGlyph(ctx, glyph('fault').d, left, middle - side / 2, side / GRID)
      left += side
    }
    ctx.font = fonts[tone]
    ctx.fillText([label, short][name.form] ?? '', left, middle)
  }
  ctx.restore()
}

function drawGlyph(ctx: CanvasRenderingContext2D, path: string, left: number, top: number, scale: number): void {
  ctx.save()
  ctx.translate(left, top)
  ctx.scale(scale, scale)
  ctx.fill(new Path2D(path))
  ctx.restore()
}
