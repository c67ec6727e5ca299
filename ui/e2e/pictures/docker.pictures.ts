import { expect, onTestFinished, test } from 'vitest'

import { chooseDocker, doTo, standIns, startInDocker } from '../driver/docker'
import { startLoad, SMALL, underLoadFor } from '../driver/lab'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('Docker: the engine, the members, Prometheus and Grafana', { timeout: 900_000 }, async (context) => {
  const { page } = opened()
  await chooseDocker(page, context)
  onTestFinished(standIns())
  await until('the images', 30_000, () => page.session.find('[data-testid^="image-"]'))
  await shoot(page, 'docker-chosen')

  await startInDocker(page)
  await startLoad(page, 'put', SMALL)
  await underLoadFor(page, 40)
  await page.click('observers')
  await page.click('observers-switch')
  const state = await page.attributeThat(
    'observers-state',
    'data-state',
    (is) => is === 'on' || is === 'failed',
    180_000,
  )
  expect(state, (await page.text('observers-panel')) ?? '').toBe('on')
  // A window that changes its size closes what hangs from a button in it.
  await shoot(page, 'docker-observers', async () => {
    if ((await page.session.find('[data-testid="observers-panel"]')) === null) await page.click('observers')
  })
  await page.click('observers')

  await doTo(page, 'etcd-2', 'pause', 'paused')
  await doTo(page, 'etcd-3', 'kill', 'exited')
  await shoot(page, 'docker-members')
})
