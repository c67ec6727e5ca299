import { createServer } from 'node:net'
import { once } from 'node:events'

import { test } from 'vitest'

import { PUTS, processesOf, runningCluster, startCluster, stopCluster } from '../driver/lab'
import { signal } from '../driver/processes'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('before a start', async () => {
  const { page } = opened()
  await page.get('hero-start')
  await shoot(page, 'lab-empty')
})

test('while a cluster starts', async () => {
  const { page } = opened()
  const { lab } = await page.snapshot()
  await page.click('start-cluster')
  // Starting takes two seconds, four pictures longer: one member is held still meanwhile.
  const held = await until('a third member to be held', 20_000, async () => {
    if ((await page.snapshot()).phase.name === 'failed') await page.click('use-free-ports')
    return processesOf(lab.id)[2]
  })
  signal(held, 'SIGSTOP')
  try {
    await until('the others to be healthy', 20_000, async () => {
      const { phase } = await page.snapshot()
      return phase.name === 'starting' && phase.waiting.filter(({ healthy }) => healthy).length === 2
    })
    await shoot(page, 'lab-starting')
  } finally {
    signal(held, 'SIGCONT')
  }
  await runningCluster(page)
  await stopCluster(page)
})

test('a start that failed', async () => {
  const { page } = opened()
  const holder = createServer().listen(2379, '127.0.0.1')
  await Promise.race([once(holder, 'listening'), once(holder, 'error').catch(() => undefined)])
  try {
    await page.click('start-cluster')
    await page.get('use-free-ports', 30_000)
    await shoot(page, 'lab-port-taken')
  } finally {
    holder.close()
  }
})

test('a cluster without load', async () => {
  const { page } = opened()
  await startCluster(page)
  await page.attributeThat(`panel-${PUTS}-20`, 'data-points', (points) => Number(points) > 60, 60_000)
  await shoot(page, 'lab-idle')
})
