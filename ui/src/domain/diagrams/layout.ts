/** Where a sequence diagram's lanes, arrows and words stand. Pure: numbers in, numbers out. */
import type { Diagram, Lane, Step } from '$shared/api/lab'

export interface Room {
  readonly width: number
  /** Height to be filled if the rows allow it. */
  readonly height: number
  /** Size of the type, px. */
  readonly em: number
  /** Width kept at the right for what belongs to a row. */
  readonly side: number
}

export interface PlacedLane {
  readonly lane: Lane
  readonly x: number
  /** Baseline of its title; titles take turns on two lines where they would touch. */
  readonly titleY: number
}

export interface PlacedGroup {
  readonly title: string
  readonly x: number
  readonly width: number
}

export interface PlacedStep {
  readonly step: Step
  /** From 1. */
  readonly number: number
  /** The arrow's height; the row reaches `rowHeight` up and down around it. */
  readonly y: number
  readonly from: number
  readonly to: number
  /** Where its words begin or end. */
  readonly textX: number
  readonly anchor: 'start' | 'end'
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly top: number
  readonly rowHeight: number
  readonly lanes: readonly PlacedLane[]
  readonly groups: readonly PlacedGroup[]
  readonly steps: readonly PlacedStep[]
  /** Where the lifelines end and the right side begins. */
  readonly right: number
}

/** Average width of a letter, in em: words are placed before they can be measured. */
const LETTER = 0.56

export const textWidth = (text: string, em: number): number => text.length * em * LETTER

export function layOut(diagram: Diagram, room: Room): Layout {
  const { em } = room
  const left = em * 2.3
  const right = room.width - room.side
  const count = diagram.lanes.length
  const widths = diagram.lanes.map((lane) => textWidth(lane.title, em * 0.95))
  const first = left + Math.max(em * 0.6, (widths[0] ?? 0) / 2)
  const last = right - Math.max(em * 0.6, (widths.at(-1) ?? 0) / 2)
  const gap = count > 1 ? (last - first) / (count - 1) : 0
  const x = (at: number) => first + at * gap
  const staggered = widths.some((width, at) => at > 0 && ((widths[at - 1] ?? 0) + width) / 2 + em * 0.8 > gap)

  const groups = groupsOf(diagram.lanes).map(({ title, from, to }) => ({
    title,
    x: x(from) - Math.min(gap * 0.42, em * 3),
    width: (to - from) * gap + 2 * Math.min(gap * 0.42, em * 3),
  }))
  const titleTop = em * 2.7
  const top = titleTop + em * (staggered ? 2.1 : 0.9)
  const fitting = (room.height - top - em * 0.6) / Math.max(1, diagram.steps.length)
  const rowHeight = Math.min(em * 3.4, Math.max(em * 2.05, fitting))

  const at = new Map(diagram.lanes.map((lane, index) => [lane.id, index]))
  return {
    width: room.width,
    height: top + diagram.steps.length * rowHeight + em * 0.6,
    top,
    rowHeight,
    right,
    groups,
    lanes: diagram.lanes.map((lane, index) => ({
      lane,
      x: x(index),
      titleY: titleTop + (staggered && index % 2 === 1 ? em * 1.25 : 0),
    })),
    steps: diagram.steps.map((step, index) => {
      const from = x(at.get(step.from) ?? 0)
      const to = x(at.get(step.to) ?? 0)
      const begin = Math.min(from, to) + (from === to ? em * 2.1 : em * 0.7)
      // Words too long for what is left of the room end at the arrow's right instead.
      const needed = textWidth(step.label, em) + (step.measure.by === 'metric' ? em * 6 : em)
      const fits = begin + needed <= right
      return {
        step,
        number: index + 1,
        y: top + index * rowHeight + rowHeight * 0.68,
        from,
        to,
        textX: fits ? begin : from === to ? from - em * 0.8 : Math.max(from, to) - em * 0.7,
        anchor: fits ? 'start' : 'end',
      }
    }),
  }
}

/** Runs of neighbouring lanes with the same group. */
function groupsOf(lanes: readonly Lane[]): { title: string; from: number; to: number }[] {
  const runs: { title: string; from: number; to: number }[] = []
  lanes.forEach((lane, at) => {
    const run = runs.at(-1)
    if (run && run.title === lane.group) run.to = at
    else runs.push({ title: lane.group, from: at, to: at })
  })
  return runs
}
