/** A window a test, opened before it and ended after it whatever happened; a failure leaves its evidence. */
import { afterEach, beforeEach } from 'vitest'

import { Desktop } from './desktop'
import { Page } from './page'

export interface Opened {
  readonly desktop: Desktop
  readonly page: Page
}

/**
 * Opens a window before each test of the file, or of what describes them, with `more` in the program's environment; the
 * returned function gives the present one.
 */
export function windowEach(more: NodeJS.ProcessEnv = {}): () => Opened {
  let opened: Opened | undefined

  beforeEach(async () => {
    const desktop = await Desktop.open(more)
    opened = { desktop, page: new Page(desktop) }
  })

  afterEach(async ({ task }) => {
    const { desktop } = opened ?? {}
    opened = undefined
    if (desktop === undefined) return
    try {
      if (task.result?.state === 'fail') {
        const folder = await desktop.evidence(task.name)
        process.stderr.write(`\n  what the window showed, its page and the lab's logs: ${folder}\n`)
      }
    } finally {
      await desktop.close()
    }
  })

  return () => {
    if (opened === undefined) throw new Error('there is no window outside of a test')
    return opened
  }
}
