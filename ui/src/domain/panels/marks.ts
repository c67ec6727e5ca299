/** Moments that every chart shows: faults, operations, steps, and when loads began and ended. Pure. */
import type { LoadView, Mark as LabMark } from '$shared/api/lab'
import type { Mark } from '$shared/chart/types'

import { withPlaces } from '$domain/faults/failpoints'
import { loadMarks } from '$domain/loads/marks'

/** Seconds within which two moments of one tone are one line with both labels. */
const TOGETHER_S = 2
/** Letters of a label where room is short. */
const SHORT = 18

/** The first words that have room; of a first word that has none, its beginning. */
function shortened(text: string): string {
  if (text.length <= SHORT) return text
  const words = text.slice(0, SHORT + 1).lastIndexOf(' ')
  return words > 0 ? text.slice(0, words) : `${text.slice(0, SHORT - 1)}…`
}

function ofLab({ atS, kind, text }: LabMark): Mark {
  const label = withPlaces(text)
  return { atS: Math.round(atS), label, short: shortened(label), tone: kind === 'fault' ? 'fault' : 'quiet' }
}

export function chartMarks(loads: Iterable<LoadView>, marks: readonly LabMark[]): Mark[] {
  const all = [...loadMarks(loads), ...marks.map(ofLab)].sort((a, b) => a.atS - b.atS)
  return ['quiet', 'fault']
    .flatMap((tone) => all.filter((mark) => mark.tone === tone).reduce<Mark[]>(joined, []))
    .sort((a, b) => a.atS - b.atS)
}

function joined(marks: Mark[], mark: Mark): Mark[] {
  const last = marks.at(-1)
  if (!last || mark.atS - last.atS > TOGETHER_S) return [...marks, mark]
  // The same said of each member is said once.
  if (last.label.split(', ').includes(mark.label)) return marks
  const both = { ...last, label: `${last.label}, ${mark.label}`, short: `${last.short}, ${mark.short}` }
  return [...marks.slice(0, -1), both]
}
