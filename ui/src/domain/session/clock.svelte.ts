/** The time, once a second, and what follows from it: whether what is drawn is stale. */
import type { Session } from './session.svelte'

/** Members are scraped each second; after so long without news, what is drawn is no longer now. */
export const STALE_AFTER_S = 3

export class Clock {
  nowMs = $state(Date.now())

  /** Starts ticking; the returned function stops it. */
  start(): () => void {
    const timer = setInterval(() => (this.nowMs = Date.now()), 1000)
    return () => clearInterval(timer)
  }
}

/** Whole seconds since the last frame while there should be one, or 0 when it is recent enough. */
export function staleForS(session: Session, nowMs: number): number {
  if (session.phase.name !== 'running' || session.frameCameMs === 0) return 0
  const age = Math.floor((nowMs - session.frameCameMs) / 1000)
  return age >= STALE_AFTER_S ? age : 0
}
