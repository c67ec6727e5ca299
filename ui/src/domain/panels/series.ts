/** How a panel's lines are told apart: hue says the member, dash says which of its lines. Pure. */
import type { PanelFrame, PanelView, SeriesFrame } from '$shared/api/lab'
import type { Line } from '$shared/chart/types'
import { format } from '$shared/format/format'

import { hueName } from '$domain/members/members'

/** Solid first; then patterns that stay apart at 1.5 px. */
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [10, 3, 2, 3]]

/**
 * `panel` names what tells a member's lines apart: its legends, less the member. Peers' metrics tell members by their
 * ids; `nameOf` gives the name for one, or what it was given.
 */
export function linesOf(
  frame: PanelFrame | undefined,
  panel: Pick<PanelView, 'targets'>,
  indexOf: (member: string) => number,
  nameOf: (id: string) => string = (id) => id,
): Line[] {
  if (!frame) return []
  const variants = variantsOf(frame.series)
  const ofMember = new Map<string, number>()
  return frame.series.map((series, at) => {
    const owner = series.member
    // A line of no member takes the neutral colour: hues mean members.
    const variant = variants.get(variantKey(series)) ?? ofMember.get(owner ?? '') ?? 0
    ofMember.set(owner ?? '', (ofMember.get(owner ?? '') ?? 0) + 1)
    return {
      key: `${series.target}/${owner ?? ''}/${series.name}/${at}`,
      name: series.name.split(' ').map(nameOf).join(' '),
      kind: kindOf(series, panel).split(' ').map(nameOf).join(' '),
      colour: owner === null ? '--other' : hueName(indexOf(owner)),
      dash: DASHES[variant % DASHES.length] ?? [],
      values: series.values,
    }
  })
}

/** What is left of a line's legend without its member: `in use`, `OK`, `to etcd-2`. */
function kindOf(series: SeriesFrame, panel: Pick<PanelView, 'targets'>): string {
  if (series.member === null) return series.name
  return (panel.targets[series.target]?.legend ?? '')
    .replace(/\{\{\s*(?:instance|job)\s*\}\}/g, '')
    .replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => series.labels[label] ?? '')
    .trim()
}

/** One row of a legend: a stroke, and what lines with it are. */
export interface LegendEntry {
  readonly dash: readonly number[]
  readonly text: string
}

/** What the strokes mean, solid first; nothing where no colour has more than one line, for colours are known. */
export function legendOf(lines: readonly Line[]): LegendEntry[] {
  const owners = new Set(lines.map((line) => line.colour))
  if (owners.size === lines.length) return []
  const entries = new Map<string, LegendEntry>()
  for (const { dash, kind } of lines) {
    const key = `${dash.join()} ${kind}`
    if (kind !== '' && !entries.has(key)) entries.set(key, { dash, text: kind })
  }
  const order = (entry: LegendEntry) => DASHES.findIndex((dash) => dash.join() === entry.dash.join())
  return [...entries.values()].sort((a, b) => order(a) - order(b))
}

/** What tells a member's lines apart: the query, and every label but the member's own. */
function variantKey(series: SeriesFrame): string {
  const labels = Object.entries(series.labels)
    .filter(([name]) => name !== 'instance' && name !== 'job')
    .sort(([a], [b]) => a.localeCompare(b))
  return JSON.stringify([series.target, series.member === null ? series.name : '', labels])
}

/** The same kind of line has the same dash at each member, whichever members have it. */
function variantsOf(series: readonly SeriesFrame[]): Map<string, number> {
  const owned = [...new Set(series.filter((each) => each.member !== null).map(variantKey))].sort(byTargetThenOk)
  const rest = [...new Set(series.filter((each) => each.member === null).map(variantKey))]
  return new Map([...owned.map((key, at) => [key, at] as const), ...rest.map((key, at) => [key, at] as const)])
}

/** Code OK is the plain line of its query; what went wrong is dashed. */
function byTargetThenOk(a: string, b: string): number {
  const rank = (key: string) => Number(key[1]) * 2 + (key.includes('"grpc_code"') && !key.includes('"OK"') ? 1 : 0)
  return rank(a) - rank(b) || a.localeCompare(b)
}

/** Points with a value, in all lines. */
export const pointCount = (frame: PanelFrame | undefined): number =>
  frame?.series.reduce((sum, series) => sum + series.values.reduce((n: number, v) => n + (v === null ? 0 : 1), 0), 0) ??
  0

/** The last value of the first line that has one at its end. */
export function lastValue(frame: PanelFrame | undefined): number | null {
  for (const series of frame?.series ?? []) {
    const last = series.values.at(-1)
    if (last !== null && last !== undefined) return last
  }
  return null
}

/** One big value, or the text that the dashboard has for it. */
export const statText = (panel: PanelView, value: number | null): string =>
  panel.mappings.find((mapping) => mapping.value === value)?.text ?? format(value, panel.unit)

/** `disk: wal fsync duration p99` in its two parts; the first names where it is measured. */
export function titleParts(panel: PanelView): { place: string; title: string } {
  const cut = panel.title.indexOf(': ')
  if (cut < 0 || cut > 16) return { place: '', title: panel.title }
  return { place: panel.title.slice(0, cut), title: panel.title.slice(cut + 2) }
}

/** The first sentence of a panel's description: what will be drawn, while nothing is. */
export const firstSentence = (panel: PanelView): string => /^[^.]*(\.(?=\d)[^.]*)*\./.exec(panel.description)?.[0] ?? ''
