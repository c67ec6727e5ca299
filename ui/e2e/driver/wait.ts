/** Waiting for a condition, never for a time: each wait has a limit and says what it waited for. */

const PAUSE_MS = 100

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class Waited extends Error {}

/**
 * Asks `look` until it returns something that is neither false nor null nor undefined, and returns that. What
 * `look` threw last is the cause if the limit passes.
 */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | false | null | undefined> | T | false | null | undefined,
): Promise<T> {
  const end = Date.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen !== false && seen !== null && seen !== undefined) return seen
      last = undefined
    } catch (cause) {
      last = cause
    }
    if (Date.now() >= end) throw new Waited(`waited ${limitMs / 1000} s for ${what}`, { cause: last })
    await pause(PAUSE_MS)
  }
}
