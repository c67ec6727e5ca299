/**
 * The scenario under way, as the person steers it: what was asked of the lab and not answered yet, why it was refused,
 * and what is chosen but not said. The course itself is the session's. Draws nothing.
 */
import type { Command, CourseOptions, Guess, Problem, Profile } from '$shared/api/lab'

import type { StartChoices } from '$domain/session/choices.svelte'
import type { Session } from '$domain/session/session.svelte'

/** What a course is asked for. */
export type Ask = Extract<
  Command['type'],
  | 'beginScenario'
  | 'predict'
  | 'doStep'
  | 'showHint'
  | 'solveStep'
  | 'nextStep'
  | 'restartStep'
  | 'leaveScenario'
  | 'forgetProgress'
>

export class CourseControl {
  /** How large the next scenario is begun. */
  profile = $state<Profile>('quick')
  /** What was asked for and isn't answered yet. */
  busy = $state<Ask | null>(null)
  /** Why the last thing that was asked for can't be. */
  problem = $state.raw<Problem | null>(null)

  #draft = $state.raw<{ readonly place: string; readonly guess: Guess } | null>(null)
  readonly #session: Session
  readonly #choices: StartChoices

  constructor(session: Session, choices: StartChoices) {
    this.#session = session
    this.#choices = choices
  }

  /** The choice that is marked, or the level that is drawn, in the present step; not said yet. */
  get draft(): Guess | null {
    return this.#draft?.place === this.#place ? this.#draft.guess : null
  }

  set draft(guess: Guess) {
    this.#draft = { place: this.#place, guess }
  }

  /** Another step asks another question, whoever went there. */
  get #place(): string {
    const { course } = this.#session
    return course ? `${course.options.scenario} ${course.step.id}` : ''
  }

  /** Begins a scenario at a step, the first when `null`. */
  begin(scenario: string, step: string | null): Promise<boolean> {
    const { profile } = this
    const { runtime, version, ports } = this.#choices
    return this.#ask({
      type: 'beginScenario',
      options: { scenario, step, profile, runtime, etcdVersion: version, ports, recorded: true },
    })
  }

  /** Begins the present step again, on ports that are free. */
  beginOnFreePorts(): Promise<boolean> {
    this.#choices.ports = 'auto'
    return this.#beginWith({ ports: 'auto' })
  }

  /** Begins the present step again, without Docker. */
  beginNatively(): Promise<boolean> {
    this.#choices.runtime = 'native'
    return this.#beginWith({ runtime: 'native' })
  }

  #beginWith(other: Partial<CourseOptions>): Promise<boolean> {
    const { course } = this.#session
    if (!course) return Promise.resolve(false)
    return this.#ask({ type: 'beginScenario', options: { ...course.options, step: course.step.id, ...other } })
  }

  predict = (guess: Guess) => this.#ask({ type: 'predict', guess })
  do = () => this.#ask({ type: 'doStep' })
  hint = () => this.#ask({ type: 'showHint' })
  solve = () => this.#ask({ type: 'solveStep' })
  next = () => this.#ask({ type: 'nextStep' })
  restart = () => this.#ask({ type: 'restartStep' })
  leave = () => this.#ask({ type: 'leaveScenario' })

  async forget(scenario: string): Promise<void> {
    await this.#ask({ type: 'forgetProgress', scenario })
    await this.#session.readScenarios()
  }

  /** Whether it was carried out: not while something else is, nor when it is refused. */
  async #ask(command: Command & { type: Ask }): Promise<boolean> {
    if (this.busy) return false
    this.busy = command.type
    const reply = await this.#session.send(command)
    this.busy = null
    this.problem = reply.type === 'problem' ? reply.problem : null
    // The same step, asked again, is answered anew.
    if (!this.problem) this.#draft = null
    return !this.problem
  }
}
