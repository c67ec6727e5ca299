import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { childrenOf, endProcess, runs, start } from '../driver/processes'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'

const opened = windowEach()

test('a second start brings the first window to the front and leaves', async () => {
  const { desktop } = opened()
  const second = desktop.again()
  expect(await second.ended).toBe(0)
  expect(readFileSync(join(desktop.data, 'second.log'), 'utf8')).toContain(`already running (process ${desktop.pid})`)
  expect(runs(desktop.pid)).toBe(true)
})

test('a second start while the first is ending waits for it and opens a window of its own', async () => {
  const { desktop } = opened()
  process.kill(desktop.pid, 'SIGTERM')
  const second = desktop.again()
  try {
    await until('the first to end', 15_000, () => !runs(desktop.pid))
    await until('a web process of the second', 15_000, () => childrenOf(second.pid).length > 0)
    expect(second.process.exitCode).toBeNull()
  } finally {
    await endProcess(second.pid, 15_000)
  }
})

test('without a display the program says so and what to do, and ends with 1', async () => {
  const { desktop } = opened()
  const log = join(desktop.data, 'blind.log')
  const blind = start(desktop.program, [], log, { ...desktop.env, DISPLAY: '' })
  expect(await blind.ended).toBe(1)
  const said = readFileSync(log, 'utf8')
  expect(said).toContain('There is no display to open a window on.')
  expect(said).toContain('etcd-labctl up')
  expect(said).not.toContain('panicked')
})
