import { test } from 'vitest'

import { SMALL, runningCluster, startCluster, startLoad, underLoadFor } from '../driver/lab'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('faults, links and the glossary', { timeout: 600_000 }, async () => {
  const { page } = opened()
  await startCluster(page)
  await page.click('open-faults')
  await page.click('start-bridge')
  await until('a cluster on the bridge', 90_000, async () => {
    const { phase, cluster } = await page.snapshot()
    if (phase.name === 'failed' && phase.problem.code === 'port-taken') await page.click('use-free-ports')
    return phase.name === 'running' && cluster?.topology === 'etcd-bridge'
  })
  await runningCluster(page)
  await startLoad(page, 'put', SMALL)
  await underLoadFor(page, 30)
  await page.click('fault-at-etcd-2')
  await page.click('fault-set')
  await underLoadFor(page, 60)
  await page.click('links-100')
  await underLoadFor(page, 90)
  await shoot(page, 'faults')

  await page.go('#/glossary?term=fsync')
  await page.get('term-shown')
  await page.click('drawer-faults')
  await shoot(page, 'glossary')
})
