/** The real program in a real window: one fresh data folder, one display, one driver, and an end that is certain. */
import { existsSync, mkdtempSync, mkdirSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { type Display, openDisplay } from './display'
import { type Started, childrenOf, commandLine, endProcess, runs, start } from './processes'
import { until } from './wait'
import { Session } from './webdriver'

const ROOT = resolve(import.meta.dirname, '../../..')
const PROGRAM = process.env.ETCD_LAB_APP ?? join(ROOT, 'target/debug/etcd-lab')
/** Longer than the app's own grace for stopping a cluster. */
const APP_GRACE_MS = 15_000

export class Desktop {
  readonly program = PROGRAM

  private constructor(
    readonly session: Session,
    /** The app's process. */
    readonly pid: number,
    /** Parent of everything the app keeps: `XDG_DATA_HOME`. */
    readonly data: string,
    readonly env: NodeJS.ProcessEnv,
    private readonly driver: Started,
    private readonly display: Display,
  ) {}

  /** With `more` in the program's environment. */
  static async open(more: NodeJS.ProcessEnv = {}): Promise<Desktop> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: build it with \`cargo build -p etcd-lab\``)
    const data = mkdtempSync(join(tmpdir(), 'etcd-lab-e2e-'))
    const display = await openDisplay()
    const env = { ...environment(data, display.name), ...more }
    const port = await freePort()
    const driver = start('WebKitWebDriver', [`--port=${port}`], join(data, 'driver.log'), {
      ...env,
      TAURI_WEBVIEW_AUTOMATION: 'true',
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await until('WebKitWebDriver to answer', 10_000, () => fetch(`${url}/status`).then((answer) => answer.ok))
      const session = await Session.open(url, { 'webkitgtk:browserOptions': { binary: PROGRAM, args: [] } })
      const pid = childrenOf(driver.pid).find((child) => commandLine(child).startsWith(PROGRAM))
      if (pid === undefined) throw new Error('the driver has no child that is the app')
      return new Desktop(session, pid, data, env, driver, display)
    } catch (cause) {
      await endAll(driver, display, childrenOf(driver.pid))
      rmSync(data, { recursive: true, force: true })
      throw cause
    }
  }

  /** Starts the program once more, as a person would who clicks its icon again. */
  again(): Started {
    return start(PROGRAM, [], join(this.data, 'second.log'), this.env)
  }

  /** Saves what helps to see why a test failed; returns the folder. */
  async evidence(name: string): Promise<string> {
    const folder = join(ROOT, 'target/e2e', name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase())
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const save = async (file: string, content: Promise<string | Buffer>) => {
      try {
        writeFileSync(join(folder, file), await content)
      } catch (cause) {
        writeFileSync(join(folder, `${file}.missing.txt`), String(cause))
      }
    }
    await save('window.png', this.session.screenshot())
    await save('page.html', this.session.source())
    const copy = (path: string) => !/\/(data|CacheStorage|WebKitCache)$|\.sock$/.test(path)
    cpSync(this.data, join(folder, 'lab'), { recursive: true, filter: copy })
    return folder
  }

  /** Ends the app as a signal does, and everything else; nothing is left, whatever state it was in. */
  async close(): Promise<void> {
    if (runs(this.pid)) await endProcess(this.pid, APP_GRACE_MS)
    await endAll(this.driver, this.display, [])
    rmSync(this.data, { recursive: true, force: true })
  }
}

async function endAll(driver: Started, display: Display, apps: number[]): Promise<void> {
  for (const app of apps) await endProcess(app, APP_GRACE_MS)
  await driver.end()
  await display.end()
}

function environment(data: string, display: string): NodeJS.ProcessEnv {
  // What belongs to the desktop or the lab of the person who runs the tests stays out of them.
  const theirs = new Set(['WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'ETCD_LAB_HOME'])
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !theirs.has(name)))
  return {
    ...rest,
    DISPLAY: display,
    GDK_BACKEND: 'x11',
    XDG_DATA_HOME: data,
    ETCD_LAB_LOG: 'info',
    NO_AT_BRIDGE: '1',
    // Without a GPU WebKit's shared buffers are slower than none.
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await new Promise<number>((found, failed) => {
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address !== null && typeof address === 'object') found(address.port)
    })
  })
  await new Promise((closed) => server.close(closed))
  return port
}
