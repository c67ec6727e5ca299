import { test } from 'vitest'

import { pidsOf, putSpec, runningCluster, startCluster, startSpec, underLoadFor } from '../driver/lab'
import { signal } from '../driver/processes'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('a load whose puts are refused: the database is full', { timeout: 300_000 }, async () => {
  const { page } = opened()
  const options = {
    runtime: 'native' as const,
    afterKill: 'remove' as const,
    etcdVersion: null,
    topology: 'etcd' as const,
    keepData: false,
    quotaBytes: 64 * 1024 * 1024,
    dataDir: null,
  }
  const first = await page.send({ type: 'start', options: { ...options, ports: 'topology' } })
  if (first.type === 'problem') await page.done({ type: 'start', options: { ...options, ports: 'auto' } })
  await runningCluster(page)
  await startSpec(page, putSpec(50, 30, 600, 10_000))
  await until('refused puts', 90_000, async () => {
    const { loads, cluster } = await page.snapshot()
    return (loads[0]?.errors[0]?.count ?? 0) > 2_000 && (cluster?.alarms.length ?? 0) > 0
  })
  await page.click('load-put-results')
  await shoot(page, 'lab-load-errors')
})

test('a member that was killed', { timeout: 300_000 }, async () => {
  const { page } = opened()
  const { members } = await startCluster(page)
  await startSpec(page, putSpec(30, 30, 400))
  await underLoadFor(page, 40)
  const [victim] = pidsOf(members.filter(({ leader }) => !leader))
  if (victim === undefined) throw new Error('a cluster of leaders')
  signal(victim, 'SIGKILL')
  await until('its card to say so', 15_000, async () => (await page.session.find('[data-state="exited"]')) !== null)
  await page.get('problem')
  await underLoadFor(page, 60)
  await shoot(page, 'lab-member-killed')
})
