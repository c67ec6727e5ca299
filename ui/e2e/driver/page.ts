/** The window as the tests speak of it: by test ids, and by the commands that the page itself may send. */
import type { Command, Reply, Snapshot } from '../../src/shared/api/lab'
import type { Desktop } from './desktop'
import { until } from './wait'
import type { Element, Session } from './webdriver'

const SEEN_MS = 15_000

const byTestId = (id: string) => `[data-testid="${id}"]`

export class Page {
  readonly session: Session

  constructor(desktop: Desktop) {
    this.session = desktop.session
  }

  /** Waits until the element is there. */
  get(testId: string, limitMs = SEEN_MS): Promise<Element> {
    return until(`an element ${testId}`, limitMs, () => this.session.find(byTestId(testId)))
  }

  async click(testId: string, limitMs = SEEN_MS): Promise<void> {
    await until(`a click on ${testId}`, limitMs, async () => {
      const element = await this.session.find(byTestId(testId))
      await element?.click()
      return element !== null
    })
  }

  /** An element's attribute now; null without the element or the attribute. */
  attribute(testId: string, name: string): Promise<string | null> {
    return this.session.run(
      'return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null',
      byTestId(testId),
      name,
    )
  }

  /** Waits until the element's attribute is as wanted; returns it. */
  attributeThat(testId: string, name: string, wanted: (value: string) => boolean, limitMs = SEEN_MS): Promise<string> {
    return until(`${testId} with the wanted ${name}`, limitMs, async () => {
      const value = await this.attribute(testId, name)
      return value !== null && wanted(value) ? value : null
    })
  }

  /** What is written in an element. */
  text(testId: string): Promise<string | null> {
    return this.session.run('return document.querySelector(arguments[0])?.textContent ?? null', byTestId(testId))
  }

  /** Writes `value` into a field in place of what it holds. */
  async fill(testId: string, value: string): Promise<void> {
    const field = await this.get(testId)
    await field.clear()
    await field.type(value)
  }

  /** Goes to a screen, such as `#/lab`. */
  async go(hash: string): Promise<void> {
    await this.session.run('location.hash = arguments[0]', hash)
  }

  /** Sends a command the way the page does. */
  send(command: Command): Promise<Reply> {
    return this.session.run("return window.__TAURI_INTERNALS__.invoke('send', { command: arguments[0] })", command)
  }

  /** Sends a command that has to be carried out. */
  async done(command: Command): Promise<Reply> {
    const reply = await this.send(command)
    if (reply.type === 'problem') throw new Error(`${reply.problem.sentence} [${reply.problem.code}]`)
    return reply
  }

  /** The lab's state, from the lab itself. */
  async snapshot(): Promise<Snapshot> {
    const reply = await this.done({ type: 'snapshot' })
    if (reply.type !== 'snapshot') throw new Error(`a snapshot was asked for, ${reply.type} came`)
    return reply.snapshot
  }
}
