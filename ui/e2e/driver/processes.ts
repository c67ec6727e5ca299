/** Programs that the tests start, and what Linux tells of processes; each is ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync, readdirSync } from 'node:fs'

import { until } from './wait'

export interface Started {
  readonly process: ChildProcess
  readonly pid: number
  /** Ends it: asked first, then made to. */
  end(graceMs?: number): Promise<void>
  /** Its exit code once it has ended by itself; null if a signal ended it. */
  readonly ended: Promise<number | null>
}

export function start(program: string, args: string[], log: string, env: NodeJS.ProcessEnv = process.env): Started {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const file = createWriteStream(log, { flags: 'a' })
  child.stdout.pipe(file, { end: false })
  child.stderr.pipe(file, { end: false })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`${program} cannot be started`, { cause })))
    child.once('exit', (code) => {
      file.end()
      resolve(code)
    })
  })
  ended.catch(() => undefined)
  const pid = child.pid ?? 0
  return {
    process: child,
    pid,
    ended,
    async end(graceMs = 5_000) {
      if (pid !== 0 && child.exitCode === null && child.signalCode === null) await endProcess(pid, graceMs)
    },
  }
}

/** Whether a process with that id runs; one that has ended and waits to be collected does not. */
export function runs(pid: number): boolean {
  return stat(pid) !== undefined
}

/** SIGTERM, and SIGKILL for what has not ended after `graceMs`. */
export async function endProcess(pid: number, graceMs: number): Promise<void> {
  signal(pid, 'SIGTERM')
  try {
    await until(`process ${pid} to end`, graceMs, () => !runs(pid))
  } catch {
    signal(pid, 'SIGKILL')
    await until(`process ${pid} to be killed`, 5_000, () => !runs(pid))
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It was quicker.
  }
}

/** Ids of the processes that `parent` started. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => stat(pid)?.parent === parent)
}

/** The command line of a process, as it was started. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function stat(pid: number): { parent: number } | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // pid (name, which may hold anything) state parent …
  const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? undefined : { parent: Number(parent) }
}
