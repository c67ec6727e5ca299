/** A sparkline as an SVG path. Pure. */

/** Lines over `values` in a box of `width` by `height`, highest value at the top, zero at the bottom; gaps are gaps. */
export function sparkPath(values: readonly (number | null)[], high: number, width: number, height: number): string {
  if (values.length < 2) return ''
  const step = width / (values.length - 1)
  const top = high > 0 ? high : 1
  let path = ''
  let drawing = false
  values.forEach((value, at) => {
    if (value === null) {
      drawing = false
      return
    }
    const y = height - (Math.max(0, value) / top) * height
    path += `${drawing ? 'L' : 'M'}${(at * step).toFixed(1)} ${y.toFixed(1)}`
    drawing = true
  })
  return path
}

export const highest = (all: readonly (readonly (number | null)[])[]): number =>
  all.reduce((high, values) => values.reduce((h: number, v) => (v !== null && v > h ? v : h), high), 0)
