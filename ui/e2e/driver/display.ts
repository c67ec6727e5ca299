/** A display of the tests' own, so that they neither need nor disturb a desktop. */
import { spawn } from 'node:child_process'

import { endProcess } from './processes'

export interface Display {
  /** Such as `:7`. */
  readonly name: string
  end(): Promise<void>
}

/** Starts Xvfb on a free number, with a screen that holds the largest window the tests and pictures want. */
export async function openDisplay(): Promise<Display> {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1920x1080x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const number = await new Promise<string>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error('Xvfb cannot be started: install the package xvfb', { cause })))
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code} before it was ready`)))
    server.stdio[3]?.once('data', (line: Buffer) => resolve(line.toString().trim()))
  })
  const { pid } = server
  return {
    name: `:${number}`,
    end: async () => {
      if (pid !== undefined) await endProcess(pid, 3_000)
    },
  }
}
