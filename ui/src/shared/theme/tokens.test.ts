import { describe, expect, it } from 'vitest'

import css from './tokens.css?raw'

type Colour = readonly [red: number, green: number, blue: number, alpha: number]

/** Takes `#rrggbb` and `rgba(r, g, b, a)` apart. */
function parse(text: string): Colour {
  const parts = text.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))
    : [...text.matchAll(/[\d.]+/g)].map(Number)
  const [red = 0, green = 0, blue = 0, alpha = 1] = parts
  return [red, green, blue, alpha]
}

/** What is seen of a translucent colour on a ground. */
function over(wash: Colour, ground: Colour): Colour {
  const mix = (at: 0 | 1 | 2) => wash[at] * wash[3] + ground[at] * (1 - wash[3])
  return [mix(0), mix(1), mix(2), 1]
}

/** WCAG 2 relative luminance. */
function luminance(colour: Colour): number {
  const channel = (at: 0 | 1 | 2) => {
    const part = colour[at] / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

function contrast(a: Colour, b: Colour): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function tokens(theme: string): (name: string) => Colour {
  const block = new RegExp(`\\[data-theme='${theme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  const found = new Map([...block.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name, value]) => [name, value]))
  return (name) => {
    const value = found.get(name)
    if (value === undefined) throw new Error(`--${name} is not in the ${theme} theme`)
    return parse(value)
  }
}

const MEMBERS = ['m0', 'm1', 'm2', 'm3', 'm4', 'other']
const TEXT = ['text', 'muted', 'faint', 'accent', 'hot', 'bad', 'good', 'warn', ...MEMBERS]
const GROUND = ['bg', 'surface', 'raised']
/** What is written on each wash: a lit row, a warm row, a problem. */
const ON_WASH: Readonly<Record<string, readonly string[]>> = {
  'accent-wash': ['text', 'muted', 'faint', 'accent', ...MEMBERS],
  'hot-wash': ['text', 'muted', 'faint', 'hot', ...MEMBERS],
  'bad-wash': ['text', 'muted', 'faint', 'bad', 'accent'],
}

describe.each(['dark', 'light'])('the %s theme', (theme) => {
  const of = tokens(theme)
  const plain = TEXT.flatMap((text) => [...GROUND, 'hover'].map((ground) => [text, ground] as const))
  const washed = Object.entries(ON_WASH).flatMap(([wash, texts]) =>
    texts.flatMap((text) => ['bg', 'surface'].map((ground) => [text, wash, ground] as const)),
  )

  it.each(plain)('reads %s on %s at 4.5 : 1', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5)
  })
  it.each(washed)('reads %s on %s over %s at 4.5 : 1', (text, wash, ground) => {
    expect(contrast(of(text), over(of(wash), of(ground)))).toBeGreaterThanOrEqual(4.5)
  })
  it.each([...GROUND, 'hover'])('shows a dim stroke on %s at 3 : 1', (ground) => {
    expect(contrast(of('dim'), of(ground))).toBeGreaterThanOrEqual(3)
  })
  it.each(['bg', 'surface'])('shows a dim stroke in a lit row over %s at 3 : 1', (ground) => {
    expect(contrast(of('dim'), over(of('accent-wash'), of(ground)))).toBeGreaterThanOrEqual(3)
  })
  it('reads the words on the primary button', () => {
    expect(contrast(of('accent-ink'), of('accent'))).toBeGreaterThanOrEqual(4.5)
    expect(contrast(of('accent-ink'), of('accent-hover'))).toBeGreaterThanOrEqual(4.5)
  })
  it('keeps the grid quieter than any line', () => {
    expect(contrast(of('grid'), of('surface'))).toBeLessThan(1.5)
  })
})
