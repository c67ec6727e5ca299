/** Where the names of marks stand in the strip above a chart: beside their lines, none over another. Pure. */

export interface Wanted {
  /** Where its line is. */
  readonly x: number
  /** Widths of its name, the longest form first. */
  readonly widths: readonly number[]
  /** Gets its place before those that aren't. */
  readonly urgent: boolean
}

export interface Placed {
  /** Which form of the name, and where it begins; nothing when there is no room for any. */
  readonly name: { readonly form: number; readonly left: number } | null
  /** Whether its line reaches up between the names: not where it would cross one. */
  readonly tall: boolean
}

/** Urgent ones first, then the newest first: that one is looked for, and has least room to its right. */
export function placeNames(marks: readonly Wanted[], from: number, to: number, gap: number): Placed[] {
  const taken: { left: number; right: number }[] = []
  const lines: number[] = []
  const placed = new Map<number, Placed>()
  const free = (left: number, right: number) =>
    left >= from &&
    right <= to &&
    taken.every((each) => right + gap <= each.left || left >= each.right + gap) &&
    lines.every((x) => x <= left || x >= right)
  const order = marks
    .map((mark, at) => ({ mark, at }))
    .sort((a, b) => Number(b.mark.urgent) - Number(a.mark.urgent) || b.mark.x - a.mark.x)
  for (const { mark, at } of order) {
    if (taken.some((each) => mark.x > each.left - gap && mark.x < each.right + gap)) {
      placed.set(at, { name: null, tall: false })
      continue
    }
    const places = mark.widths.flatMap((width, form) => [
      { form, left: mark.x + gap, width },
      { form, left: mark.x - gap - width, width },
    ])
    const place = places.find(({ left, width }) => free(left, left + width))
    lines.push(mark.x)
    if (place) taken.push({ left: place.left, right: place.left + place.width })
    placed.set(at, { name: place ? { form: place.form, left: place.left } : null, tall: true })
  }
  return marks.map((_, at) => placed.get(at) ?? { name: null, tall: false })
}
