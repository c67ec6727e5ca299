import { expect, test } from 'vitest'

import { ARROW_RIGHT, beginAt, beginScenario, courseOf, ENTER, press, stepAsks, stepIs } from '../driver/scenario'
import type { Page } from '../driver/page'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'

const opened = windowEach()
const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3']
/** Steps of scenario 1, and the digit of the answer that is right; in one a level is drawn instead. */
const SLOW_DISK = [2, 2, 2, 2, null, 2, 2]

test(
  'the slow disk is gone through from the first prediction to the last explanation',
  { timeout: 900_000 },
  async () => {
    const { page } = opened()
    await beginScenario(page, 'slow-disk')

    for (const [at, answer] of SLOW_DISK.entries()) {
      await stepAsks(page, at + 1)
      expect(await page.attribute('step-primary', 'disabled')).not.toBeNull()
      if (answer === null) {
        const slider = await page.get('level-slider')
        // From the middle of 10 ms to 100 s, which is 1 s, to some seconds.
        await slider.type(ARROW_RIGHT.repeat(25))
        await page.click('step-primary')
      } else if (at === 0) {
        await page.click(`choice-${answer - 1}`)
        await page.click('step-primary')
      } else {
        await press(page, String(answer))
        await page.attributeThat(`choice-${answer - 1}`, 'data-chosen', (chosen) => chosen === 'true')
        await press(page, ENTER)
      }
      await stepIs(page, 'act')
      expect(await page.text('commands-0')).toMatch(/^(curl|etcd-labctl) /)

      if (at === 0) await page.click('step-primary')
      else await press(page, ENTER)
      await stepIs(page, 'met')
      const { step } = await courseOf(page)
      for (const [index, check] of step.checks.entries()) {
        expect(check.met).toBe(true)
        expect(plain(await page.text(`check-${index}`))).toContain(plain(check.says))
      }
      expect((await page.text('why'))?.length).toBeGreaterThan(200)
      if (answer !== null) expect(await page.attribute('verdict', 'data-right')).toBe('true')
      expect(await page.attribute('step-primary', 'data-primary')).toBe(at < SLOW_DISK.length - 1 ? 'next' : 'finish')

      if (at === 0) await page.click('step-primary')
      else await press(page, 'n')
    }

    await page.get('scenario-finished')
    await page.attributeThat('rail-slow-disk', 'data-met', (met) => Number(met) === SLOW_DISK.length)
    // What was gone through is kept, and can be forgotten.
    await page.click('scenario-next')
    await page.get('scenario-begin')
    await page.click('rail-slow-disk')
    await page.attributeThat('scenario-slow-disk', 'data-met', (met) => Number(met) === SLOW_DISK.length)
    await page.click('forget')
    await page.click('forget-yes')
    await page.attributeThat('rail-slow-disk', 'data-met', (met) => met === '0')
  },
)

test('the way back from a full database is found by hand', { timeout: 900_000 }, async () => {
  const { page } = opened()
  await beginAt(page, 'database-size-limit', 'delete')
  await stepAsks(page, 4)
  await page.click('step-pass')
  await stepIs(page, 'act')
  // Nothing is given away: it is for the person to find, with the window's own controls.
  expect(await page.attribute('step-primary', 'data-primary')).toBeNull()
  expect(await page.attribute('action-0', 'data-state')).toBeNull()

  await page.click('open-operations')
  await page.click('op-delete')
  await page.click('op-delete-sure')
  await answered(page, 'delete')
  await page.click('op-compact')
  await answered(page, 'compact')
  await defragmentAll(page)
  await page.click('op-disarm')
  await answered(page, 'alarms')
  await stepIs(page, 'met')
  expect(await page.attribute('verdict', 'data-right')).toBe('passed')
  expect((await courseOf(page)).step.solved).toBe(false)

  await page.click('step-primary')
  await stepAsks(page, 5)
  await page.click('step-pass')
  await stepIs(page, 'act')
  await page.click('step-primary')
  await stepIs(page, 'met')

  await page.click('step-primary')
  await stepAsks(page, 6)
  await press(page, '3')
  await page.click('step-primary')
  await stepIs(page, 'act')
  await page.click('step-hint')
  await page.get('hint')
  await defragmentAll(page)
  await page.click('op-disarm')
  await answered(page, 'alarms')
  await stepIs(page, 'met')
  expect(await page.attribute('verdict', 'data-right')).toBe('true')
  await page.click('step-primary')
  await page.get('scenario-finished')
})

test('a window that is loaded anew goes on in its step, and a step that is left leaves nothing behind', async () => {
  const { page } = opened()
  await beginAt(page, 'slow-disk', null)
  await stepAsks(page, 1)
  await page.click('step-pass')
  await stepIs(page, 'act')
  await page.session.refresh()
  await stepIs(page, 'act')
  await page.click('show-me-0')
  await page.get('drawer')
  await page.click('step-primary')
  await until('the failpoint', 30_000, async () => (await page.snapshot()).faults.failpoints.length === MEMBERS.length)

  await page.click('step-leave')
  await page.get('scenario-begin')
  const { course, faults, loads, phase } = await page.snapshot()
  expect(course).toBeNull()
  expect(faults.failpoints).toEqual([])
  expect(loads.filter(({ state }) => state.name === 'running')).toEqual([])
  expect(phase.name).toBe('running')
})

/** As it is read: without marks of code, on one line. */
const plain = (text: string | null): string => (text ?? '').replaceAll('`', '').replaceAll(/\s+/g, ' ').trim()

/** Waits until an operation has said that it is done. */
async function answered(page: Page, operation: string): Promise<void> {
  await page.get(`op-${operation}-answer`, 60_000)
}

async function defragmentAll(page: Page): Promise<void> {
  for (const member of MEMBERS) {
    await page.click(`op-defragment-${member}`)
    await until(`${member} to be defragmented`, 60_000, async () =>
      (await page.text('op-defragment-answer'))?.startsWith(`${member} `),
    )
  }
}
