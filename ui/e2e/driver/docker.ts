/** What a person does with Docker in the window, and what the engine itself says of it. */
import { execFileSync } from 'node:child_process'
import { request } from 'node:http'
import { resolve } from 'node:path'

import type { TestContext } from 'vitest'

import type { ClusterView, MemberView } from '../../src/shared/api/lab'
import { runningCluster } from './lab'
import type { Page } from './page'
import { until } from './wait'

/** The image of a version is built at its first start: tens of megabytes, on a machine that does much else. */
const BUILD_MS = 240_000
const LOOK_MS = 60_000
const STAND_INS = resolve(import.meta.dirname, '../../../scripts/stand-ins.sh')

/** Where the engine listens; its answers are read beside the lab, to see that it tells the truth. */
export interface Engine {
  readonly endpoint: string
}

/** Things of one lab that an engine has, in the order of their names. */
export interface Things {
  readonly containers: readonly string[]
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
}

export const NOTHING: Things = { containers: [], volumes: [], networks: [] }

/**
 * Chooses Docker on the start screen. Where no engine can be used, the test is skipped with the reason;
 * `ETCD_LAB_DOCKER=required` makes it fail.
 */
export async function chooseDocker(page: Page, test: TestContext): Promise<Engine> {
  await page.click('runtime-docker')
  const found = await page.attributeThat('docker', 'data-engine', (engine) => engine !== 'looking', LOOK_MS)
  const reply = await page.done({ type: 'docker' })
  const engine = reply.type === 'docker' ? reply.docker.engine : null
  if (found === 'found' && engine) return engine
  const reason = `no Docker engine: ${(await page.text('problem')) ?? 'the window does not say why'}`
  if (process.env.ETCD_LAB_DOCKER === 'required') throw new Error(`ETCD_LAB_DOCKER=required: ${reason}`)
  process.stderr.write(`\n  skipped, ${reason}\n`)
  return test.skip(reason)
}

/** Starts a cluster as the start screen has it chosen, with what has to be built for it. */
export async function startInDocker(page: Page): Promise<ClusterView> {
  await page.click('ports-auto')
  await page.click('hero-start')
  await until('the cluster to run or to fail', BUILD_MS, async () => {
    const { phase } = await page.snapshot()
    if (phase.name === 'failed') return true
    return phase.name === 'running'
  })
  const { phase } = await page.snapshot()
  if (phase.name === 'failed') throw new Error(`${phase.problem.sentence} ${phase.problem.detail}`)
  return runningCluster(page)
}

/** Opens a member's menu and presses what is to be done to it. */
export async function doTo(page: Page, member: string, action: string, becomes: MemberView['state']): Promise<void> {
  await page.click(`member-menu-${member}`)
  await page.click(`member-${action}-${member}`)
  await page.attributeThat(`member-${member}`, 'data-state', (state) => state === becomes, LOOK_MS)
}

/**
 * Images for Prometheus and Grafana where the engine has none: a registry may be out of reach. Gives what removes those
 * that this made, once nothing runs from them.
 */
export function standIns(): () => void {
  const made = execFileSync(STAND_INS, ['make'], { encoding: 'utf8', timeout: BUILD_MS }).split('\n').filter(Boolean)
  return () => {
    if (made.length > 0) execFileSync('docker', ['image', 'rm', ...made], { stdio: 'ignore', timeout: LOOK_MS })
  }
}

/** All that bears the lab's label. */
export async function thingsOf(engine: Engine, labId: string): Promise<Things> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`metrics-lab.id=${labId}`] }))
  const [containers, volumes, networks] = await Promise.all([
    ask<{ Id: string }[]>(engine, `/containers/json?all=1&filters=${filters}`),
    ask<{ Volumes: { Name: string }[] | null }>(engine, `/volumes?filters=${filters}`),
    ask<{ Id: string }[]>(engine, `/networks?filters=${filters}`),
  ])
  return {
    containers: containers.map(({ Id }) => Id).sort(),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name).sort(),
    networks: networks.map(({ Id }) => Id).sort(),
  }
}

/** Asks the engine over its socket, or over TCP without TLS. */
function ask<T>(engine: Engine, path: string): Promise<T> {
  const { protocol, hostname, port, pathname } = new URL(engine.endpoint)
  const to = protocol === 'unix:' ? { socketPath: pathname, path } : { host: hostname, port, path }
  return new Promise((answered, failed) => {
    const asked = request({ ...to, timeout: 10_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () =>
        answer.statusCode === 200 ? answered(JSON.parse(text) as T) : failed(new Error(`${path}: ${text}`)),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer`)))
    asked.on('error', failed)
    asked.end()
  })
}
