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
  /** The label, shortened where there is no room for all of it. */
  readonly label: string
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly top: number
  readonly rowHeight: number
  /** Size of the lanes' titles, in em: smaller where they would touch. */
  readonly titleEm: number
  readonly lanes: readonly PlacedLane[]
  readonly groups: readonly PlacedGroup[]
  readonly steps: readonly PlacedStep[]
  /** Where the lifelines end and the right side begins. */
  readonly right: number
}

/** Average width of a letter, in em: words are placed before they can be measured. */
const LETTER = 0.55

export const textWidth = (text: string, em: number): number => text.length * em * LETTER

export function layOut(diagram: Diagram, room: Room): Layout {
  const { em } = room
  const left = em * 1.9
  const right = room.width - room.side
  const count = diagram.lanes.length
  const widths = diagram.lanes.map((lane) => textWidth(lane.title, em * 0.95))
  const first = left + Math.max(em * 0.6, (widths[0] ?? 0) / 2)
  const last = right - Math.max(em * 0.6, (widths.at(-1) ?? 0) / 2)
  const gap = count > 1 ? (last - first) / (count - 1) : 0
  const x = (at: number) => first + at * gap
  const staggered = widths.some((width, at) => at > 0 && ((widths[at - 1] ?? 0) + width) / 2 + em * 0.8 > gap)

  // Every other title shares a line when staggered; they shrink, to a limit, rather than touch.
  const apart = staggered ? 2 : 1
  const tightest = widths.reduce(
    (least, width, at) => Math.min(least, (gap * apart - em * 0.5) / (((widths[at - apart] ?? 0) + width) / 2)),
    1,
  )
  const titleEm = 0.95 * Math.max(0.66, tightest)
  const groups = groupsOf(diagram.lanes).map(({ title, from, to }) => ({
    title,
    x: x(from) - Math.min(gap * 0.42, em * 3),
    width: (to - from) * gap + 2 * Math.min(gap * 0.42, em * 3),
  }))
  const titleTop = em * 2.7
  const top = titleTop + em * (staggered ? 2.1 : 0.9)
  const fitting = (room.height - top - em * 0.6) / Math.max(1, diagram.steps.length)
  const rowHeight = Math.min(em * 3.4, Math.max(em * 1.95, fitting))

  const at = new Map(diagram.lanes.map((lane, index) => [lane.id, index]))
  return {
    width: room.width,
    height: top + diagram.steps.length * rowHeight + em * 0.6,
    top,
    rowHeight,
    right,
    titleEm,
    groups,
    lanes: diagram.lanes.map((lane, index) => ({
      lane,
      x: x(index),
      titleY: titleTop + (staggered && index % 2 === 1 ? em * 1.25 : 0),
    })),
    steps: diagram.steps.map((step, index) => {
      const from = x(at.get(step.from) ?? 0)
      const to = x(at.get(step.to) ?? 0)
      return {
        step,
        number: index + 1,
        y: top + index * rowHeight + rowHeight * 0.68,
        from,
        to,
        // A warm arrow's words are larger: those that may be warm get room for it.
        ...placeWords(step, from, to, left, right, em * (step.measure.by === 'metric' && step.measure.hot ? 1.18 : 1)),
      }
    }),
  }
}

/** Words stand at the arrow's left end, reaching right; else at its right end, reaching left; else they are shortened. */
function placeWords(step: Step, from: number, to: number, left: number, right: number, em: number) {
  const value = step.measure.by === 'metric' ? em * 5.5 : em * 0.6
  const needed = textWidth(step.label, em) + value
  const within = from === to
  const begin = Math.min(from, to) + em * (within ? 2.1 : 0.7)
  const end = within ? from - em * 0.8 : Math.max(from, to) - em * 0.7
  const rightward = right - begin
  const leftward = end - left
  if (needed <= rightward) return { textX: begin, anchor: 'start' as const, label: step.label }
  const anchor = leftward > rightward ? ('end' as const) : ('start' as const)
  const room = Math.max(leftward, rightward) - value
  const letters = Math.floor(room / (em * LETTER))
  return {
    textX: anchor === 'end' ? end : begin,
    anchor,
    label: shortened(step.label, letters),
  }
}

/** What a metric's name says besides what it measures. */
const TAIL = /(?:(?:_duration)?_seconds|_total)\.\w+\(\)$/

/** A label of so many letters at most: without its metric's tail, else without its first words, else cut. */
export function shortened(label: string, letters: number): string {
  const stem = label.replace(TAIL, '')
  const fitting = [label, stem, ...(stem === label ? [] : [stem.slice(stem.lastIndexOf('_') + 1)])]
  return (
    fitting.find((each) => each.length <= letters) ??
    `${label.slice(0, Math.max(3, letters - 1)).replace(/[^a-z0-9]+$/i, '')}…`
  )
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
