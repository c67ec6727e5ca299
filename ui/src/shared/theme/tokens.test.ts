import { describe, expect, it } from 'vitest'

import css from './tokens.css?raw'

/** WCAG 2 relative luminance of `#rrggbb`. */
function luminance(hex: string): number {
  const channel = (at: number) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function tokens(theme: string): Record<string, string> {
  const block = new RegExp(`\\[data-theme='${theme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]))
}

const TEXT = ['text', 'muted', 'faint', 'accent', 'hot', 'bad', 'good', 'warn', 'm0', 'm1', 'm2', 'm3', 'm4', 'other']
const GROUND = ['bg', 'surface', 'raised']
const MEMBERS = ['m0', 'm1', 'm2']

describe.each(['dark', 'light'])('the %s theme', (theme) => {
  const of = tokens(theme)
  const pairs = TEXT.flatMap((text) => GROUND.map((ground) => [text, ground] as const))

  it.each(pairs)('reads %s on %s at 4.5 : 1', (text, ground) => {
    expect(contrast(of[text] as string, of[ground] as string)).toBeGreaterThanOrEqual(4.5)
  })
  it('reads the words on the primary button', () => {
    expect(contrast(of['accent-ink'] as string, of.accent as string)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(of['accent-ink'] as string, of['accent-hover'] as string)).toBeGreaterThanOrEqual(4.5)
  })
  it('keeps the grid quieter than any line', () => {
    for (const member of MEMBERS) {
      expect(contrast(of[member] as string, of.surface as string)).toBeGreaterThanOrEqual(3)
    }
    expect(contrast(of.grid as string, of.surface as string)).toBeLessThan(1.5)
  })
})
