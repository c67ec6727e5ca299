import { test } from 'vitest'

import { beginAt, stepAsks, stepIs } from '../driver/scenario'
import type { Page } from '../driver/page'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()
/** The longest that a check of the steps that are pictured is waited for, and then some. */
const LONGEST_MS = 900_000

test('every scenario before it is begun', { timeout: 600_000 }, async () => {
  const { page } = opened()
  const reply = await page.done({ type: 'scenarios' })
  if (reply.type !== 'scenarios') throw new Error(`scenarios were asked for, ${reply.type} came`)
  for (const { id, number } of reply.scenarios) {
    await page.click(`rail-${id}`)
    await page.get(`scenario-${id}`)
    await shoot(page, `scenario-${number}-${id}`)
  }
})

test('the phases of a step', { timeout: 900_000 }, async () => {
  const { page } = opened()
  await beginAt(page, 'slow-disk', null)
  await stepIs(page, 'setting')
  await shoot(page, 'step-setting')
  await stepAsks(page, 1)
  await linesFor(page, 40)
  await page.click('choice-1')
  await shoot(page, 'step-predict')
  await page.click('step-primary')
  await stepIs(page, 'act')
  await shoot(page, 'step-act')
  await page.click('step-primary')
  await stepIs(page, 'met')
  await linesFor(page, 80)
  await shoot(page, 'step-met')
})

test('a level, drawn', { timeout: 600_000 }, async () => {
  const { page } = opened()
  await beginAt(page, 'slow-disk', 'all-very-slow')
  await stepAsks(page, 5)
  await linesFor(page, 40)
  const slider = await page.get('level-slider')
  await slider.type('\uE014'.repeat(25))
  await shoot(page, 'step-level')
})

test('a step whose way is to be found', { timeout: 600_000 }, async () => {
  const { page } = opened()
  await beginAt(page, 'database-size-limit', 'delete')
  await stepAsks(page, 4)
  await page.click('step-pass')
  await stepIs(page, 'act')
  await page.click('open-operations')
  await shoot(page, 'step-to-be-found')
})

// One step of each other scenario, once it has been seen to hold; the answer is the right one.
test.each([
  ['puts-and-ranges', 'log', 4, 1],
  ['slow-network', 'delay', 1, 2],
  ['compaction', 'with', 1, 1],
  ['defragmentation', 'held-follower', 2, 1],
] as const)('%s: the step %s', { timeout: 1_800_000 }, async (scenario, step, number, answer) => {
  const { page } = opened()
  await beginAt(page, scenario, step)
  await stepAsks(page, number)
  await page.click(`choice-${answer}`)
  await page.click('step-primary')
  await stepIs(page, 'act')
  await page.click('step-primary')
  await stepIs(page, 'met', LONGEST_MS)
  await linesFor(page, 80)
  await shoot(page, `step-${scenario}`)
})

/** Waits until the cluster has run so long: so long are the lines. */
async function linesFor(page: Page, seconds: number): Promise<void> {
  await until(`${seconds} s of lines`, (seconds + 60) * 1000, async () => {
    const { phase } = await page.snapshot()
    return phase.name === 'running' && Date.now() - phase.sinceMs >= seconds * 1000
  })
}
