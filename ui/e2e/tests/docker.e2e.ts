/**
 * The lab in Docker, by clicks in the real window. Without an engine each test says why it is skipped;
 * `ETCD_LAB_DOCKER=required` makes it fail then.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, onTestFinished, test } from 'vitest'

import { chooseDocker, doTo, NOTHING, standIns, startInDocker, thingsOf } from '../driver/docker'
import { runningCluster, stopCluster } from '../driver/lab'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'

const LONG = { timeout: 420_000 }

/** Stands in for the person's browser: writes down what it is asked to open. */
const BROWSER = mkdtempSync(join(tmpdir(), 'etcd-lab-browser-'))
const ASKED = join(BROWSER, 'asked')
writeFileSync(ASKED, '')
writeFileSync(join(BROWSER, 'xdg-open'), `#!/bin/sh\necho "$1" >> '${ASKED}'\n`, { mode: 0o755 })
afterAll(() => rmSync(BROWSER, { recursive: true, force: true }))

describe('with an engine', () => {
  const opened = windowEach({ PATH: `${BROWSER}:${process.env.PATH ?? ''}` })

  test('members are started, held, ended and started again, and nothing of them is left', LONG, async (context) => {
    const { page } = opened()
    const engine = await chooseDocker(page, context)
    const cluster = await startInDocker(page)
    const { lab } = await page.snapshot()
    expect(cluster.runtime).toBe('docker')
    expect(await page.text('cluster-strip')).toContain('Docker, etcd')
    const { containers } = await thingsOf(engine, lab.id)
    expect(cluster.members.map((member) => containers.some((id) => id.startsWith(member.container ?? '-')))).toEqual([
      true,
      true,
      true,
    ])

    await doTo(page, 'etcd-2', 'kill', 'exited')
    await doTo(page, 'etcd-2', 'restart', 'healthy')
    await doTo(page, 'etcd-3', 'pause', 'paused')
    await doTo(page, 'etcd-3', 'resume', 'healthy')
    await doTo(page, 'etcd-1', 'stop', 'exited')
    await doTo(page, 'etcd-1', 'restart', 'healthy')
    await runningCluster(page)

    await stopCluster(page)
    expect(await thingsOf(engine, lab.id)).toEqual(NOTHING)
  })

  test('an app that is killed takes its containers with it', LONG, async (context) => {
    const { desktop, page } = opened()
    const engine = await chooseDocker(page, context)
    await startInDocker(page)
    const { lab } = await page.snapshot()
    process.kill(desktop.pid, 'SIGKILL')
    await until('its containers, volumes and network to go', 12_000, async () => {
      const left = await thingsOf(engine, lab.id)
      return left.containers.length + left.volumes.length + left.networks.length === 0
    })
  })

  test('images are carried in a file', LONG, async (context) => {
    const { desktop, page } = opened()
    await chooseDocker(page, context)
    await page.attributeThat('image-3.5.9', 'data-state', (state) => state !== '')
    if ((await page.attribute('image-3.5.9', 'data-state')) !== 'current') {
      await page.click('image-build-3.5.9')
      await page.attributeThat('image-3.5.9', 'data-state', (state) => state === 'current', 240_000)
    }

    const file = join(desktop.data, 'images.tar')
    await page.click('images-save')
    await page.fill('images-file', 'images.tar')
    expect(await page.attribute('images-save-now', 'disabled')).not.toBeNull()
    await page.fill('images-file', file)
    await page.click('images-save-now')
    await until('the images to be written', 120_000, async () => (await page.text('image-done'))?.includes(file))
    expect(statSync(file).size).toBeGreaterThan(10_000_000)

    await page.click('images-load')
    await page.fill('images-file', file)
    await page.click('images-load-now')
    await until('the images to be read', 120_000, async () => (await page.text('image-done'))?.includes('loaded'))

    const missing = join(desktop.data, 'nowhere.tar')
    expect(existsSync(missing)).toBe(false)
    await page.click('images-load')
    await page.fill('images-file', missing)
    await page.click('images-load-now')
    await page.get('problem')
  })

  test('Prometheus and Grafana are switched on and off', LONG, async (context) => {
    const { page } = opened()
    const engine = await chooseDocker(page, context)
    onTestFinished(standIns())
    await startInDocker(page)
    const { lab } = await page.snapshot()
    const before = await thingsOf(engine, lab.id)
    await page.click('observers')
    await page.click('observers-switch')
    await page.attributeThat('observers-state', 'data-state', (is) => is === 'on' || is === 'failed', 180_000)
    const { observers } = await page.snapshot()
    if (observers.name !== 'on') throw new Error(`they are ${observers.name}: ${await page.text('observers-panel')}`)
    expect(await page.text('grafana-user')).toBe('admin')
    for (const url of [`${observers.prometheusUrl}/-/healthy`, `${observers.grafanaUrl}/api/health`])
      expect((await fetch(url, { signal: AbortSignal.timeout(10_000) })).status).toBe(200)

    await page.click('open-grafana')
    await until('the browser to be asked', 15_000, () => readFileSync(ASKED, 'utf8').includes(observers.grafanaUrl))
    await page.click('open-prometheus')
    await until('it to be asked again', 15_000, () => readFileSync(ASKED, 'utf8').includes(observers.prometheusUrl))

    await page.click('observers-switch')
    await page.attributeThat('observers-state', 'data-state', (is) => is === 'off', 60_000)
    expect(await thingsOf(engine, lab.id)).toEqual(before)
  })
})

describe('without an engine', () => {
  const opened = windowEach({ DOCKER_HOST: 'unix:///nowhere/docker.sock' })

  test('the window says why, what mends it, and goes on without', async () => {
    const { page } = opened()
    await page.click('runtime-docker')
    await page.attributeThat('docker', 'data-engine', (engine) => engine === 'none')
    await page.attributeThat('problem', 'data-code', (code) => code.startsWith('docker-'))
    expect(await page.text('problem')).toContain('/nowhere/docker.sock')

    await page.click('ports-auto')
    await page.click('hero-start')
    await until('the start to fail', 30_000, async () => (await page.snapshot()).phase.name === 'failed')
    await page.click('start-natively')
    expect((await runningCluster(page)).runtime).toBe('native')
  })
})
