/** What a person does in a scenario: begins it, predicts, does the step or finds the way, and reads why. */
import type { CourseOptions, CourseView } from '../../src/shared/api/lab'
import type { Page } from './page'
import { until } from './wait'

/** A fresh cluster of three, loaded or filled, on two busy cores. */
const STAGE_MS = 240_000
/** The longest that a check is waited for in profile quick, and then some. */
const CHECK_MS = 180_000

export const ENTER = '\uE007'
export const ARROW_RIGHT = '\uE014'

/** Presses a key where nothing has the focus. */
export async function press(page: Page, key: string): Promise<void> {
  const body = await page.session.find('body')
  await body?.type(key)
}

/** Waits until the step is in a phase; tells what broke when it is broken. */
export async function stepIs(page: Page, phase: string, limitMs = CHECK_MS): Promise<void> {
  const seen = await until(`the step to be ${phase}`, limitMs, async () => {
    const now = await page.attribute('step', 'data-phase')
    return now === phase || now === 'broken' || (now === 'missed' && phase === 'met') ? now : null
  })
  if (seen !== phase) throw new Error(`the step is ${seen}: ${await page.text('step')}`)
}

/** Waits for the step that is told, set and asked. */
export async function stepAsks(page: Page, number: number): Promise<void> {
  await page.attributeThat('step', 'data-number', (value) => Number(value) === number, STAGE_MS)
  await stepIs(page, 'predict', STAGE_MS)
}

/** Begins a scenario from its own screen, as a person does who has other programs on the standard ports. */
export async function beginScenario(page: Page, id: string): Promise<void> {
  await page.click(`rail-${id}`)
  await page.click('ports-auto')
  await page.click('scenario-begin')
}

/** Begins a scenario at a step without the screen, for what is about something else. */
export async function beginAt(page: Page, scenario: string, step: string | null): Promise<void> {
  const options: CourseOptions = {
    scenario,
    step,
    profile: 'quick',
    runtime: 'native',
    etcdVersion: null,
    ports: 'auto',
    recorded: true,
  }
  await page.done({ type: 'beginScenario', options })
  await page.go(`#/scenario/${scenario}`)
}

/** The course as the lab tells it. */
export async function courseOf(page: Page): Promise<CourseView> {
  const { course } = await page.snapshot()
  if (course === null) throw new Error('there is no course')
  return course
}
