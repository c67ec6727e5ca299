import { expect, test } from 'vitest'

import { SMALL, arrowOf, setFailpoint, startCluster, startLoad, startOnBridge } from '../driver/lab'
import { until } from '../driver/wait'
import { windowEach } from '../driver/window'

const opened = windowEach()
const FSYNC = 'walBeforeFdatasync'

test('a failpoint is set, refused, seen on the cards, counted and cleared', async () => {
  const { page } = opened()
  const { members } = await startCluster(page)
  await startLoad(page, 'put', SMALL)
  const inEffect = async () => (await page.snapshot()).faults.failpoints
  const chip = (member: string, text: string) =>
    until(`${text} on the card of ${member}`, 15_000, async () => (await page.text(`fault-${member}`))?.includes(text))

  await page.click('open-faults')
  await page.fill('fault-term', 'sleep(soon)')
  await page.click('fault-set')
  expect(await (await page.get('fault-term-wrong')).text()).toContain('no term of a failpoint')
  expect(await inEffect()).toEqual([])

  await page.click('fault-at-etcd-2')
  await page.fill('fault-term', 'sleep(100)')
  const line = (await page.text('fault-line')) ?? ''
  expect(line).toBe(`curl ${members[1]?.gofailUrl}/${FSYNC} -XPUT -d'sleep(100)'`)
  await page.click('fault-set')
  await chip('etcd-2', 'fsync +100 ms')
  await page.click('fault-etcd-2')
  await until('its hits to be counted', 15_000, async () =>
    /Reached \d/.test((await page.text(`hits-etcd-2-${FSYNC}`)) ?? ''),
  )
  await page.click(`clear-etcd-2-${FSYNC}`)
  await until('it to be cleared', 15_000, async () => (await inEffect()).length === 0)

  // What somebody else sets is shown, too, and all of it goes with one press.
  await setFailpoint(members, FSYNC, 'sleep(300)')
  for (const { name } of members) await chip(name, 'fsync +300 ms')
  const slow = await arrowOf(page, 'puts', 'etcd_disk_wal_fsync_duration_seconds')
  await page.attributeThat(`arrow-${slow}`, 'data-heat', (heat) => Number(heat) > 0.5, 45_000)
  await page.click('clear-faults')
  await until('no fault to be left', 15_000, async () => (await inEffect()).length === 0)
  const { marks } = await page.snapshot()
  expect(marks.filter(({ kind, text }) => kind === 'fault' && text.includes(FSYNC)).length).toBeGreaterThanOrEqual(4)
})

test('links are shaped on a cluster that was started for it', async () => {
  const { page } = opened()
  await startCluster(page)
  await startOnBridge(page)

  await page.click('links-100')
  await page.attributeThat('link-etcd-1-etcd-2', 'data-held', (held) => Number(held) >= 95)
  await page.get('link-etcd-1')
  await page.click('cut-etcd-3')
  await until('its links to be cut', 15_000, async () => {
    const { links } = (await page.snapshot()).faults
    const cut = links?.filter((link) => link.shape.cut).map(({ from, to }) => `${from} ${to}`)
    return cut?.sort().join() === 'etcd-1 etcd-3,etcd-2 etcd-3,etcd-3 etcd-1,etcd-3 etcd-2'
  })
  await page.click('clear-faults')
  await until('its links to be open', 15_000, async () =>
    (await page.snapshot()).faults.links?.every(({ shape }) => !shape.cut && shape.delayMs === 0),
  )
})

test('the glossary tells of a term’s metric what the members say of it', async () => {
  const { page } = opened()
  await startCluster(page)
  await page.go('#/glossary?term=fsync')
  await until('the metric’s facts', 30_000, async () => {
    const text = (await page.text('term-shown')) ?? ''
    return text.includes('etcd_disk_wal_fsync_duration_seconds') && /histogram.*14, from 1 ms to 8.2 s/s.test(text)
  })
  await page.fill('glossary-search', 'wal_write_bytes')
  await page.get('entry-wal')
})
