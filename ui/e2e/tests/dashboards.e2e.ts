import { expect, test } from 'vitest'

import { PUTS, RANGES, panelWithPoints, putSpec, rangeSpec, startCluster, startSpec } from '../driver/lab'
import { windowEach } from '../driver/window'

/**
 * Panels that are empty on a healthy cluster under put and range load, and why. So far none: a panel of errors has
 * lines at zero, or belongs to another dashboard.
 */
const RIGHTLY_EMPTY: ReadonlyMap<string, string> = new Map()

const opened = windowEach()

test('every panel of Puts and Ranges has data under put and range load', async () => {
  const { desktop, page } = opened()
  await desktop.session.resize(1920, 1080)
  await startCluster(page)
  await startSpec(page, putSpec(20, 6, 300))
  await startSpec(page, rangeSpec(20, 6, 300))

  const reply = await page.done({ type: 'dashboards' })
  if (reply.type !== 'dashboards') throw new Error(`dashboards were asked for, ${reply.type} came`)
  const seen: string[] = []
  const empty: string[] = []
  for (const { uid, rows } of reply.dashboards.filter((board) => board.uid === PUTS || board.uid === RANGES)) {
    await page.go(`#/dashboards/${uid}`)
    await page.get(`dashboard-${uid}`)
    for (const panel of rows.flatMap((row) => row.panels)) {
      if (RIGHTLY_EMPTY.has(panel.title)) continue
      try {
        await panelWithPoints(page, `panel-${uid}-${panel.id}`, 20_000)
        seen.push(panel.title)
      } catch {
        empty.push(panel.title)
      }
    }
  }
  expect(empty).toEqual([])
  // The seed's sixteen and seven.
  expect(seen.length).toBeGreaterThanOrEqual(16 + 7)
})
