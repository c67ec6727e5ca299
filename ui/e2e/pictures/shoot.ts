/** Takes the pictures of one screen: both themes, both sizes, each exactly as large as it says. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Page } from '../driver/page'
import { until } from '../driver/wait'

const FOLDER = resolve(import.meta.dirname, '../../../docs/pictures')
const SIZES = [
  [1280, 800],
  [1920, 1080],
] as const
const THEMES = ['dark', 'light'] as const

/** Writes `NAME-THEME-WIDTHxHEIGHT.png` four times. `before` is done once the window has its size and theme. */
export async function shoot(page: Page, name: string, before?: () => Promise<void>): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  for (const [width, height] of SIZES) {
    await page.session.resize(width, height)
    await until(`a viewport of ${width}×${height}`, 10_000, () =>
      page.session.run<boolean>('return innerWidth === arguments[0] && innerHeight === arguments[1]', width, height),
    )
    for (const theme of THEMES) {
      await page.session.run('document.documentElement.dataset.theme = arguments[0]', theme)
      await before?.()
      await settled(page)
      const png = await page.session.screenshot()
      const file = join(FOLDER, `${name}-${theme}-${width}x${height}.png`)
      writeFileSync(file, png)
      shrink(file)
    }
  }
}

/** Fonts are there, transitions are over, and what they led to has been painted. */
async function settled(page: Page): Promise<void> {
  await page.session.run(`
    await document.fonts.ready
    const passing = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity)
    await Promise.allSettled(passing.map((each) => each.finished))
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame)`)
}

/** A third of the size where Debian's pngquant is installed; as it is where not. */
function shrink(file: string): void {
  try {
    execFileSync('pngquant', [
      '--force',
      '--skip-if-larger',
      '--strip',
      '--quality=85-100',
      '--speed=1',
      '--output',
      file,
      file,
    ])
  } catch {
    // Not installed, or the palette would show: the picture stays as it was taken.
  }
}
