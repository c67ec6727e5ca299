/**
 * The seam between the window and whatever holds the lab. Everything above it speaks in commands, replies and
 * events; nothing above it knows how they travel.
 */
import type { Command, Event, Problem, Reply } from '$shared/api/lab'

/** A page that the lab may open in the person's browser; where it is, the program itself looks up. */
export type Page = 'prometheus' | 'grafana'

export interface Host {
  /** Carries out one command. Never rejects: what went wrong comes back as a `problem` reply. */
  send(command: Command): Promise<Reply>
  /** Asks for events; resolves once they flow. May be called again to be subscribed anew. */
  subscribe(onEvent: (event: Event) => void): Promise<void>
  /** Opens a page in the person's browser; says whether that could be done. */
  open(page: Page): Promise<boolean>
}

/** The program that holds the lab does not answer; the only problem this side of the seam makes up itself. */
export function hostGone(cause: unknown): Problem {
  return {
    code: 'host-gone',
    sentence: 'The program that holds the lab does not answer.',
    next: 'Close this window and start etcd Metrics Lab again.',
    detail: cause instanceof Error ? cause.message : String(cause),
    member: null,
    log: [],
  }
}
