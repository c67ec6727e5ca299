import { test } from 'vitest'

import { SMALL, startCluster, startLoad, startOnBridge, underLoadFor } from '../driver/lab'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('faults, links and the glossary', { timeout: 600_000 }, async () => {
  const { page } = opened()
  await startCluster(page)
  await startOnBridge(page)
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
