/** What a person does with the lab in its window: starts it, loads it, looks at its panels. */
import { readFileSync, readdirSync } from 'node:fs'

import type { ClusterView, LoadSpec, LoadView, MemberView } from '../../src/shared/api/lab'
import type { Page } from './page'
import { until } from './wait'

/** A cluster of three on two busy cores takes seconds; this is for a machine that does much else. */
const START_MS = 60_000
const STOP_MS = 30_000

export const PUTS = 'ac2a8573-2a57-4b18-a9fd-d007b565f5e6'
export const RANGES = 'ad0da30b-2128-4455-8cef-31424b06b7b9'

export type Numbers = Partial<Record<'clients' | 'conns' | 'total' | 'rate', number>>

/** Small enough for two cores that also hold three members and a window, endless as far as a test is concerned. */
export const SMALL: Numbers = { clients: 20, conns: 6, total: 50_000_000, rate: 400 }

/** Presses "Start cluster"; where somebody else holds the lab's ports, goes on to free ones as a person would. */
export async function startCluster(page: Page): Promise<ClusterView> {
  await page.click('start-cluster')
  const phase = await until('the cluster to run or to fail', START_MS, async () => {
    const { phase } = await page.snapshot()
    return phase.name === 'running' || phase.name === 'failed' ? phase : null
  })
  if (phase.name === 'failed') {
    if (phase.problem.code !== 'port-taken') throw new Error(`${phase.problem.sentence} [${phase.problem.code}]`)
    await page.click('use-free-ports')
  }
  return runningCluster(page)
}

/** Opens the faults of a cluster that runs, and has it started anew with links that can be shaped. */
export async function startOnBridge(page: Page): Promise<ClusterView> {
  await page.click('open-faults')
  await page.click('start-bridge')
  await until('a cluster on the bridge', 2 * START_MS, async () => {
    const { phase, cluster } = await page.snapshot()
    if (phase.name === 'failed' && phase.problem.code === 'port-taken') await page.click('use-free-ports')
    return phase.name === 'running' && cluster?.topology === 'etcd-bridge'
  })
  return runningCluster(page)
}

/** Waits until the cluster runs and each member has told of itself. */
export function runningCluster(page: Page): Promise<ClusterView> {
  return until('a running cluster', START_MS, async () => {
    const { phase, cluster } = await page.snapshot()
    const ready = phase.name === 'running' && cluster?.members.every((member) => member.state === 'healthy')
    return ready ? cluster : null
  })
}

export async function stopCluster(page: Page): Promise<void> {
  await page.click('stop-cluster')
  await until('the cluster to be stopped', STOP_MS, async () => (await page.snapshot()).phase.name === 'stopped')
}

/** Types the numbers into the load's form and starts it. */
export async function startLoad(page: Page, kind: 'put' | 'range', numbers: Numbers): Promise<LoadView> {
  await page.click(`load-${kind}-edit`)
  for (const [name, value] of Object.entries(numbers)) await page.fill(`load-${kind}-${name}`, String(value))
  await page.click(`load-${kind}-start`)
  return until(`the ${kind} load to be answered`, START_MS, async () => {
    const { loads } = await page.snapshot()
    return loads.find((load) => load.spec.workload.kind === kind && load.done > 0)
  })
}

/** Starts a load without the form, for screens that are about something else. */
export async function startSpec(page: Page, spec: LoadSpec): Promise<number> {
  const reply = await page.done({ type: 'startLoad', spec })
  if (reply.type !== 'load') throw new Error(`a load was started, ${reply.type} came`)
  return reply.id
}

export const putSpec = (clients: number, conns: number, rate: number | null, valSize = 8): LoadSpec => ({
  workload: {
    kind: 'put',
    keySize: 8,
    valSize,
    keySpaceSize: 100_000,
    sequentialKeys: true,
    compactIntervalS: null,
    compactIndexDelta: 1000,
  },
  clients,
  conns,
  total: 100_000_000,
  rate,
})

export const rangeSpec = (clients: number, conns: number, rate: number | null): LoadSpec => ({
  workload: { kind: 'range', key: '/', rangeEnd: null, serializable: false },
  clients,
  conns,
  total: 100_000_000,
  rate,
})

/** How long the oldest load has run. */
export async function loadSeconds(page: Page): Promise<number> {
  const { loads } = await page.snapshot()
  return Math.max(0, ...loads.map((load) => load.elapsedS))
}

/** Waits until the oldest load has run that long: so long are the lines. */
export async function underLoadFor(page: Page, seconds: number): Promise<void> {
  await until(`${seconds} s of load`, (seconds + 60) * 1000, async () => (await loadSeconds(page)) >= seconds)
}

/** A panel that is on the screen, scrolled to, has points; returns its last value. */
export async function panelWithPoints(page: Page, testId: string, limitMs: number): Promise<number | null> {
  await page.session.run(
    "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })",
    `[data-testid="${testId}"]`,
  )
  await page.attributeThat(testId, 'data-points', (points) => Number(points) > 0, limitMs)
  const last = await page.attribute(testId, 'data-last')
  return last === null ? null : Number(last)
}

/** The number of the arrow that a metric measures. */
export async function arrowOf(page: Page, diagram: string, metric: string): Promise<number> {
  const reply = await page.done({ type: 'diagrams' })
  if (reply.type !== 'diagrams') throw new Error(`diagrams were asked for, ${reply.type} came`)
  const steps = reply.diagrams.find(({ id }) => id === diagram)?.steps ?? []
  const at = steps.findIndex(({ measure }) => measure.by === 'metric' && measure.name.startsWith(metric))
  if (at < 0) throw new Error(`no arrow of ${diagram} is measured by ${metric}`)
  return at + 1
}

/** Process ids of members; each member of a cluster that runs has one. */
export function pidsOf(members: readonly MemberView[]): number[] {
  return members.map(({ name, pid }) => {
    if (pid === null) throw new Error(`${name} has no process`)
    return pid
  })
}

/** Every process that carries the lab's id in its environment. */
export function processesOf(labId: string): number[] {
  const mark = `METRICS_LAB_ID=${labId}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
      } catch {
        return false
      }
    })
}

/** Sets a failpoint the way the seed does: by curl on each member's own address. */
export async function setFailpoint(members: readonly MemberView[], name: string, term: string): Promise<void> {
  for (const member of members) {
    const answer = await fetch(`${member.gofailUrl}/${name}`, { method: 'PUT', body: term })
    if (!answer.ok) throw new Error(`${member.name} refused ${name}=${term}: ${await answer.text()}`)
  }
}
