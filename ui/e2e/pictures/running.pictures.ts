import { test } from 'vitest'

import {
  loadSeconds,
  putSpec,
  rangeSpec,
  setFailpoint,
  startCluster,
  startLoad,
  startSpec,
  underLoadFor,
} from '../driver/lab'
import type { Page } from '../driver/page'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'
import { shoot } from './shoot'

const opened = windowEach()

test('put and range load, then a slow disk', { timeout: 900_000 }, async () => {
  const { page } = opened()
  const { members } = await startCluster(page)
  await startLoad(page, 'put', { clients: 300, conns: 100 })
  await underLoadFor(page, 30)
  await startLoad(page, 'range', { clients: 20, conns: 20, total: 100_000_000 })
  await underLoadFor(page, 80)
  await shoot(page, 'lab-load')

  await page.click('diagram-expand')
  await page.get('diagram-dialog')
  await shoot(page, 'diagram-puts')
  await page.click('diagram-dialog-close')

  await page.click('subject-range')
  await page.get('diagram-ranges')
  await shoot(page, 'lab-ranges')
  await page.click('subject-put')

  await setFailpoint(members, 'walBeforeFdatasync', 'sleep(100)')
  await underLoadFor(page, (await loadSeconds(page)) + 45)
  await shoot(page, 'lab-slow-disk')
})

test('the six dashboards', { timeout: 900_000 }, async () => {
  const { page } = opened()
  const { members } = await startCluster(page)
  const put = putSpec(100, 30, null, 100)
  if (put.workload.kind === 'put') {
    put.workload.compactIntervalS = 10
    put.workload.compactIndexDelta = 10_000
  }
  await startSpec(page, put)
  await startSpec(page, rangeSpec(20, 20, null))
  await underLoadFor(page, 60)
  for (const { name, leader } of members) if (!leader) await page.done({ type: 'defragment', member: name })
  await underLoadFor(page, 90)

  const reply = await page.done({ type: 'dashboards' })
  if (reply.type !== 'dashboards') throw new Error(`dashboards were asked for, ${reply.type} came`)
  for (const { uid, title } of reply.dashboards) {
    await page.go(`#/dashboards/${uid}`)
    await page.get(`dashboard-${uid}`)
    await until(`lines on ${title}`, 30_000, async () => (await pointsOn(page)) > 0)
    await shoot(page, `dashboard-${title.toLowerCase().replaceAll(' ', '-')}`)
  }
})

/** The fewest points of any panel on the screen that has come into view and may have lines. */
function pointsOn(page: Page): Promise<number> {
  return page.session.run(`
    const inView = [...document.querySelectorAll('[data-testid^="panel-"][data-points]')].filter((each) => {
      const { top, bottom } = each.getBoundingClientRect()
      return top < innerHeight && bottom > 0 && each.querySelector('[data-why="noSeries"]') === null
    })
    return inView.length === 0 ? 0 : Math.min(...inView.map((each) => Number(each.dataset.points)))`)
}
