/**
 * A line chart over uPlot: made once, given new data each second, never made anew for it. Labels at the lines'
 * ends are elements over the canvas, so that the crosshair moves without a redraw.
 */
import uPlot from 'uplot'

import { format, formatAxis, formatTime, isBinary } from '$shared/format/format'

import { type Axis, axisFor, extent, spread, timeTicks } from './ticks'
import { drawMarks, drawThresholds, nameThresholds, type Pen } from './annotate'
import { words } from './messages'
import type { Line, Mark, Scale } from './types'

/** All charts with this key share one crosshair. */
const SYNC = 'lab'
const LINE_WIDTH = 1.5

export interface Drawing {
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly scale: Scale
  /** The right end of the time axis, seconds since the Unix epoch. */
  readonly atS: number
  readonly rangeS: number
  readonly marks: readonly Mark[]
  /** What it draws is over: its right end is not now. */
  readonly over?: boolean
}

export class Plot {
  readonly #plot: uPlot
  readonly #element: HTMLElement
  readonly #labels: HTMLElement
  readonly #when: HTMLElement
  readonly #colours = new Map<string, string>()
  /** Size of small type, px; everything on the canvas follows it. */
  readonly #em: number
  #drawing: Drawing
  #axis: Axis = { min: 0, max: 1, ticks: [0, 1] }
  #shape = ''
  /** Moments of the faults that are drawn; `null` before anything is. */
  #faults: ReadonlySet<number> | null = null
  #side = 0

  constructor(element: HTMLElement, drawing: Drawing) {
    this.#element = element
    this.#drawing = drawing
    const root = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    this.#em = Math.round(root * 0.82 * 2) / 2
    this.#plot = new uPlot(this.#options(), [[]], element)
    this.#labels = this.#overlay('ends')
    this.#when = this.#overlay('when')
    this.#when.hidden = true
    this.update(drawing)
  }

  update(drawing: Drawing): void {
    this.#drawing = drawing
    const shape = drawing.lines.map((line) => `${line.colour}${line.dash.join()}`).join('|')
    if (shape !== this.#shape) this.#reshape(shape)
    this.#axis = this.#valueAxis()
    this.#dropFaults()
    this.#plot.setData([drawing.times as number[], ...drawing.lines.map((line) => line.values as (number | null)[])])
  }

  resize(width: number, height: number): void {
    if (width > 0 && height > 0 && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height })
      this.#axis = this.#valueAxis()
      this.#plot.redraw(true, true)
    }
  }

  /** Reads the colours anew. */
  restyle(): void {
    this.#colours.clear()
    this.#plot.redraw(false, false)
  }

  destroy(): void {
    this.#plot.destroy()
  }

  #overlay(name: string): HTMLElement {
    const element = document.createElement('div')
    element.className = `chart-${name}`
    this.#plot.root.querySelector('.u-wrap')?.append(element)
    return element
  }

  #colour(name: string): string {
    let value = this.#colours.get(name)
    if (value === undefined) {
      value = getComputedStyle(this.#element).getPropertyValue(name).trim()
      this.#colours.set(name, value)
    }
    return value
  }

  /** Adds and takes away series when there are other lines than before. */
  #reshape(shape: string): void {
    this.#shape = shape
    for (let at = this.#plot.series.length - 1; at > 0; at -= 1) this.#plot.delSeries(at)
    this.#drawing.lines.forEach((line, at) => {
      this.#plot.addSeries(
        {
          label: line.name,
          width: LINE_WIDTH,
          dash: [...line.dash],
          spanGaps: false,
          stroke: () => this.#colour(this.#drawing.lines[at]?.colour ?? '--other'),
          points: {
            show: true,
            size: 4,
            width: 0,
            filter: (u, series) => alone(u.data[series] ?? []),
            fill: () => this.#colour(this.#drawing.lines[at]?.colour ?? '--other'),
          },
        },
        at + 1,
      )
    })
  }

  #valueAxis(): Axis {
    const { lines, scale, times, atS, rangeS } = this.#drawing
    const { low, high } = extent(
      times,
      lines.map((line) => line.values),
      atS - rangeS,
      atS,
    )
    // A threshold at the very edge would hide in it.
    const thresholds = (scale.thresholds ?? []).map((each) => each * 1.05)
    const room = Math.max(2, Math.min(5, Math.floor(this.#plot.height / (this.#em * 3.4))))
    return axisFor(Math.min(low, ...thresholds), Math.max(high, ...thresholds), {
      lines: room,
      binary: isBinary(scale.unit),
      min: scale.min,
      max: scale.max,
    })
  }

  #options(): uPlot.Options {
    const em = this.#em
    const font = `${em}px ${getComputedStyle(this.#element).fontFamily}`
    const { width, height } = this.#element.getBoundingClientRect()
    const faint = () => this.#colour('--faint')
    const grid = () => this.#colour('--grid')
    return {
      width: Math.max(width, 40),
      height: Math.max(height, 40),
      padding: [em * 1.15, () => this.#gutter(), 0, 0],
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: SYNC, scales: ['x', null] },
        points: {
          size: 6,
          width: 1.5,
          fill: (_, at) => this.#colour(this.#drawing.lines[at - 1]?.colour ?? '--other'),
          stroke: () => this.#colour('--surface'),
        },
      },
      scales: {
        x: { time: false, range: () => [this.#drawing.atS - this.#drawing.rangeS, this.#drawing.atS] },
        y: { range: () => [this.#axis.min, this.#axis.max] },
      },
      axes: [
        {
          font,
          stroke: faint,
          size: em * 1.9,
          gap: em * 0.45,
          grid: { show: false },
          ticks: { show: false },
          splits: (u) => this.#timeTicks(u).map((tick) => this.#drawing.atS - tick.beforeS),
          values: (u) => this.#timeTicks(u).map((tick) => tick.text),
        },
        {
          font,
          stroke: faint,
          gap: em * 0.6,
          size: (u, texts) => (texts ? Math.ceil((widest(u.ctx, font, texts) + em * 0.9) / 4) * 4 : em * 3),
          grid: { stroke: grid, width: 1 },
          ticks: { show: false },
          splits: () => this.#axis.ticks,
          values: () => formatAxis(this.#axis.ticks, this.#drawing.scale.unit),
        },
      ],
      series: [{}],
      hooks: {
        drawAxes: [(u) => drawThresholds(this.#pen(u, font), this.#visibleThresholds)],
        draw: [
          (u) => {
            const pen = this.#pen(u, font)
            nameThresholds(pen, this.#visibleThresholds, this.#drawing.scale.unit)
            drawMarks(pen, this.#visibleMarks)
            this.#placeLabels()
          },
        ],
        setCursor: [() => this.#placeLabels()],
      },
    }
  }

  /** Room to the right of the lines for their last values; grows at once, shrinks only when much is free. */
  #gutter(): number {
    const { lines, scale } = this.#drawing
    const texts = lines.map((line) => format(line.values.at(-1), scale.unit))
    const font = `600 ${this.#em}px ${getComputedStyle(this.#element).fontFamily}`
    const needed = Math.ceil((widest(this.#plot?.ctx, font, texts) + this.#em) / 6) * 6
    if (needed > this.#side || needed < this.#side - this.#em * 2) this.#side = needed
    return Math.max(this.#side, this.#em * 3)
  }

  #timeTicks(u: uPlot) {
    const across = u.bbox.width / devicePixelRatio || u.width
    const end = this.#drawing.over ? words.end : words.now
    return timeTicks(this.#drawing.rangeS, Math.max(2, Math.floor(across / (this.#em * 5))), end)
  }

  #pen(u: uPlot, font: string): Pen {
    return { u, font, em: this.#em, colour: (name) => this.#colour(name) }
  }

  get #visibleThresholds(): number[] {
    const { min, max } = this.#axis
    return (this.#drawing.scale.thresholds ?? []).filter((value) => value >= min && value <= max)
  }

  get #visibleMarks(): Mark[] {
    const { marks, atS, rangeS } = this.#drawing
    return marks.filter((mark) => mark.atS > atS - rangeS && mark.atS <= atS)
  }

  /** A fault that has come since the last drawing falls onto the chart, on all of them at once. */
  #dropFaults(): void {
    const faults = this.#visibleMarks.filter((mark) => mark.tone === 'fault').map((mark) => mark.atS)
    const news = this.#faults && faults.filter((atS) => !this.#faults?.has(atS))
    // What a chart shows when it is first drawn has not just happened.
    this.#faults = this.#drawing.atS > 0 ? new Set(faults) : null
    for (const atS of news ?? []) {
      const { bbox } = this.#plot
      const { rangeS } = this.#drawing
      const across = 1 - (this.#drawing.atS - atS) / rangeS
      const line = this.#overlay('drop')
      line.style.left = `${(bbox.left + bbox.width * across) / devicePixelRatio}px`
      line.style.height = `${(bbox.top + bbox.height) / devicePixelRatio}px`
      line.addEventListener('animationend', () => line.remove())
    }
  }

  /** The last value of each line at its end, or, under the crosshair, the values there. */
  #placeLabels(): void {
    if (!this.#labels) return
    const u = this.#plot
    const { lines, times, scale } = this.#drawing
    const at = u.cursor.idx ?? null
    const pointed = at !== null && (u.cursor.left ?? -1) >= 0
    const top = u.bbox.top / devicePixelRatio
    const bottom = top + u.bbox.height / devicePixelRatio
    const height = this.#em * 1.22
    const shown = distinct(
      lines
        .map((line) => ({ line, value: (pointed ? line.values[at] : line.values.at(-1)) ?? null }))
        .filter((each): each is { line: Line; value: number } => each.value !== null)
        .sort((a, b) => a.line.dash.length - b.line.dash.length)
        .map((each) => ({ ...each, text: format(each.value, scale.unit) })),
    )
    shown.splice(Math.max(1, Math.floor((bottom - top + height) / height)))
    const wanted = shown.map(({ value }) => top + u.valToPos(value, 'y'))
    const placed = spread(wanted, height, top - height / 2, bottom)
    while (this.#labels.childElementCount > shown.length) this.#labels.lastElementChild?.remove()
    shown.forEach(({ line, text }, index) => {
      const label = (this.#labels.children[index] ??
        this.#labels.appendChild(document.createElement('span'))) as HTMLElement
      if (label.textContent !== text) label.textContent = text
      label.style.color = `var(${line.colour})`
      label.style.transform = `translateY(${Math.round(((placed[index] ?? 0) - height / 2) * 2) / 2}px)`
    })
    this.#labels.style.left = `${(u.bbox.left + u.bbox.width) / devicePixelRatio + 6}px`
    this.#when.hidden = !pointed
    if (pointed) {
      const time = times[at] ?? 0
      this.#when.textContent = formatTime(time * 1000)
      const across = u.bbox.left / devicePixelRatio + u.valToPos(time, 'x')
      this.#when.style.transform = `translate(${across}px, ${bottom + this.#em * 0.2}px) translateX(-50%)`
    }
  }
}

/** Two lines of one colour that end at one value share a label. */
function distinct<T extends { line: Line; text: string }>(labels: readonly T[]): T[] {
  const seen = new Set<string>()
  return labels.filter(({ line, text }) => {
    const key = `${line.colour} ${text}`
    return !seen.has(key) && seen.add(key)
  })
}

const widest = (ctx: CanvasRenderingContext2D | undefined, font: string, texts: readonly string[]): number => {
  if (!ctx) return 0
  ctx.save()
  ctx.font = font
  const width = Math.max(0, ...texts.map((text) => ctx.measureText(text).width))
  ctx.restore()
  return width
}

/** Values with a gap on both sides: a line can't show them, a point can. */
function alone(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = []
  const none = (at: number) => values[at] === null || values[at] === undefined
  for (let at = 0; at < values.length; at += 1) if (!none(at) && none(at - 1) && none(at + 1)) found.push(at)
  return found
}
