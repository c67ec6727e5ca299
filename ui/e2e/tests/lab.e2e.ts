import { type Server, createServer } from 'node:net'

import { expect, test } from 'vitest'

import {
  PUTS,
  SMALL,
  arrowOf,
  panelWithPoints,
  pidsOf,
  processesOf,
  runningCluster,
  startCluster,
  startLoad,
  stopCluster,
} from '../driver/lab'
import { runs } from '../driver/processes'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'

const opened = windowEach()
const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3']

test('a cluster is started, loaded, seen to move, and stopped without a trace', async () => {
  const { page } = opened()
  const cluster = await startCluster(page)
  for (const name of MEMBERS) await page.attributeThat(`member-${name}`, 'data-state', (state) => state === 'healthy')
  const leaders = await Promise.all(MEMBERS.map((name) => page.attribute(`member-${name}`, 'data-leader')))
  expect(leaders.filter((leader) => leader === 'true')).toHaveLength(1)

  await startLoad(page, 'put', SMALL)
  await until('a rate on the load', 15_000, async () => /[1-9]/.test((await page.text('load-put-rate')) ?? ''))
  expect(await panelWithPoints(page, `panel-${PUTS}-3`, 30_000)).toBeGreaterThan(0)
  expect(await page.text('ticker-command')).toMatch(/^etcd-labctl bench .*--clients=20 --conns=6 put /)

  const fsync = await arrowOf(page, 'puts', 'etcd_disk_wal_fsync_duration_seconds')
  await page.attributeThat(`arrow-${fsync}`, 'data-value', (value) => Number(value) > 0, 30_000)

  await page.click('load-put-stop')
  await page.attributeThat('load-put', 'data-state', (state) => state === 'ended', 30_000)
  const { lab } = await page.snapshot()
  await stopCluster(page)
  expect(pidsOf(cluster.members).filter(runs)).toEqual([])
  expect(processesOf(lab.id)).toEqual([])
})

test('a taken port is named with its holder, and free ports lead on', async () => {
  const { page } = opened()
  const holder = await hold(2379)
  try {
    await page.click('start-cluster')
    await page.attributeThat('problem', 'data-code', (code) => code === 'port-taken', 30_000)
    const told = (await page.text('problem')) ?? ''
    expect(told).toContain('2379')
    // Where another program was quicker than this test, that one is named.
    if (holder !== null) expect(told).toContain(`process ${process.pid}`)
    expect(processesOf((await page.snapshot()).lab.id)).toEqual([])

    await page.click('use-free-ports')
    const { members } = await runningCluster(page)
    for (const { clientUrl } of members) expect(clientUrl).not.toMatch(/:(2379|22379|32379)$/)
  } finally {
    holder?.close()
  }
})

test('a window that is loaded anew goes on as if nothing had happened', async () => {
  const { page } = opened()
  await startCluster(page)
  const before = await startLoad(page, 'put', SMALL)
  const panel = `panel-${PUTS}-3`
  await page.attributeThat(panel, 'data-points', (points) => Number(points) > 5, 60_000)

  await page.session.refresh()
  for (const name of MEMBERS) await page.attributeThat(`member-${name}`, 'data-state', (state) => state === 'healthy')
  await page.attributeThat('load-put', 'data-state', (state) => state === 'running')
  await page.attributeThat(panel, 'data-points', (points) => Number(points) > 5)
  const { loads } = await page.snapshot()
  expect(loads.map((load) => load.id)).toEqual([before.id])
  await until('the load goes on', 15_000, async () => ((await page.snapshot()).loads[0]?.done ?? 0) > before.done)
})

test('a member that is killed is shown as ended, with the reason, and comes back when asked', async () => {
  const { page } = opened()
  const { members } = await startCluster(page)
  const [pid] = pidsOf(members.filter(({ name }) => name === 'etcd-2'))
  if (pid === undefined) throw new Error('there is no etcd-2')
  process.kill(pid, 'SIGKILL')

  await page.attributeThat('member-etcd-2', 'data-state', (state) => state === 'exited')
  await page.attributeThat('problem', 'data-code', (code) => code === 'member-exited')
  expect(await page.text('problem')).toMatch(/etcd-2 .*(signal 9|SIGKILL|killed)/)
  expect(await page.attribute('member-etcd-1', 'data-state')).not.toBe('exited')

  await page.click('member-menu-etcd-2')
  await page.click('member-restart-etcd-2')
  const again = await runningCluster(page)
  expect(pidsOf(again.members)).not.toContain(pid)
  // The problem that it ended is over.
  await until('the banner to go', 15_000, async () => (await page.attribute('problem', 'data-code')) === null)
})

test('a cluster that was stopped is not drawn as if it ran', async () => {
  const { page } = opened()
  await startCluster(page)
  await page.go(`#/dashboards/${PUTS}`)
  // The database has a size without any load.
  const panel = `panel-${PUTS}-20`
  await page.get(panel)
  await panelWithPoints(page, panel, 60_000)
  await stopCluster(page)
  await page.attributeThat(panel, 'data-points', (points) => points === '0')
  await page.attributeThat('panel-empty', 'data-why', (why) => why === 'stopped')
})

test('a start that is stopped raises no alarm', async () => {
  const { page } = opened()
  await page.click('start-cluster')
  await page.click('stop-cluster')
  await until('the cluster to be stopped', 30_000, async () => (await page.snapshot()).phase.name === 'stopped')
  await page.get('hero-start')
  expect(await page.attribute('problem', 'data-code')).toBeNull()
})

test.each(['SIGTERM', 'SIGKILL'] as const)('no member outlives an app that is ended by %s', async (signal) => {
  const { desktop, page } = opened()
  const { members } = await startCluster(page)
  const { lab } = await page.snapshot()
  expect(lab.pid).toBe(desktop.pid)
  process.kill(desktop.pid, signal)
  await until('the app and its members to end', 15_000, () => ![desktop.pid, ...pidsOf(members)].some(runs))
  expect(processesOf(lab.id)).toEqual([])
})

test('a lab that is ended from elsewhere takes its window with it', async () => {
  const { desktop, page } = opened()
  const { members } = await startCluster(page)
  // What `etcd-labctl down` sends. The page may be gone before its answer is.
  await page.send({ type: 'shutdown' }).catch(() => undefined)
  await until('the app and its members to end', 15_000, () => ![desktop.pid, ...pidsOf(members)].some(runs))
})

/** Listens on a port of 127.0.0.1; null where somebody does already. */
function hold(port: number): Promise<Server | null> {
  const server = createServer()
  return new Promise((held, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') held(null)
      else failed(cause)
    })
    server.listen(port, '127.0.0.1', () => held(server))
  })
}
