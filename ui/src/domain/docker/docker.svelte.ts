/**
 * Docker, as the person steers it: its engine and images, read anew when they may have changed, and Prometheus and
 * Grafana beside the cluster. What runs is the session's to know. Draws nothing.
 */
import { untrack } from 'svelte'

import type { Command, DockerView, Problem } from '$shared/api/lab'
import type { Page } from '$shared/host/host'

import type { StartChoices } from '$domain/session/choices.svelte'
import type { Session } from '$domain/session/session.svelte'

/** What can be asked for with an image. */
export type ImageCommand = Extract<Command, { type: 'buildImage' | 'saveImages' | 'loadImages' }>

export class DockerControl {
  /** Engine and images; `null` until they were looked for. */
  view = $state.raw<DockerView | null>(null)
  /** They are being looked for. */
  looking = $state(false)
  /** What was asked for with an image, and isn't answered yet. */
  asked = $state.raw<ImageCommand | null>(null)
  /** What was done with an image last. */
  done = $state.raw<ImageCommand | null>(null)
  /** Why the last thing that was asked for can't be. */
  problem = $state.raw<Problem | null>(null)
  /** Prometheus and Grafana were switched, and the lab has not answered yet. */
  switching = $state(false)

  readonly #session: Session
  readonly #choices: StartChoices
  #looked = 0

  constructor(session: Session, choices: StartChoices) {
    this.#session = session
    this.#choices = choices
  }

  /** Looks for the engine and its images; to be called from an effect, which calls again when they may be others. */
  follow(): void {
    const { link, imageWork, phase } = this.#session
    void phase.name
    if (this.#choices.runtime !== 'docker' || link !== 'live') return
    // Once work on an image is over there is something new to see; before that, only for who has seen nothing yet.
    if (imageWork === null || untrack(() => this.view) === null) void this.look()
  }

  async look(): Promise<void> {
    const looked = ++this.#looked
    this.looking = true
    const reply = await this.#session.send({ type: 'docker' })
    if (looked !== this.#looked) return
    this.looking = false
    if (reply.type === 'docker') this.view = reply.docker
    else if (reply.type === 'problem') this.view = { engine: null, problem: reply.problem, images: [] }
  }

  build = (etcdVersion: string) => this.#ask({ type: 'buildImage', etcdVersion })
  save = (file: string) => this.#ask({ type: 'saveImages', etcdVersions: [], file: file.trim() })
  load = (file: string) => this.#ask({ type: 'loadImages', file: file.trim() })

  /** Starts Prometheus and Grafana, or stops them. That they can't be started is told as their state. */
  async switchObservers(on: boolean): Promise<void> {
    this.switching = true
    if (on) await this.#session.send({ type: 'startObservers' })
    else await this.#session.act({ type: 'stopObservers' })
    this.switching = false
  }

  /** Opens the page of one of them in the person's browser; says whether there is one. */
  open(page: Page): Promise<boolean> {
    return this.#session.open(page)
  }

  /** Whether it was carried out. */
  async #ask(command: ImageCommand): Promise<boolean> {
    if (this.asked) return false
    this.asked = command
    this.done = null
    this.problem = null
    const reply = await this.#session.send(command)
    this.asked = null
    if (reply.type === 'problem') this.problem = reply.problem
    else this.done = command
    await this.look()
    return reply.type !== 'problem'
  }
}
