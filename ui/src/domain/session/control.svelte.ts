/** Starting and stopping the cluster, and what is done to its members. Holds the person's choices; draws nothing. */
import type { AfterKill, Ports, Problem, RuntimeKind, StartOptions, TopologyName } from '$shared/api/lab'

import type { StartChoices } from './choices.svelte'
import { CALLED_OFF, type Session } from './session.svelte'

export class ClusterControl {
  runtime = $state<RuntimeKind>('native')
  afterKill = $state<AfterKill>('remove')
  topology = $state<TopologyName>('etcd')
  keepData = $state(false)
  /** Asked for, and not answered yet. */
  busy = $state(false)

  readonly #session: Session
  readonly #choices: StartChoices

  constructor(session: Session, choices: StartChoices) {
    this.#session = session
    this.#choices = choices
  }

  /** Why the cluster did not start, while that is the last word on it. */
  get failure(): Problem | null {
    const { phase } = this.#session
    return phase.name === 'failed' ? phase.problem : null
  }

  async start(ports: Ports = this.#choices.ports): Promise<void> {
    this.#choices.ports = ports
    const options: StartOptions = {
      runtime: this.runtime,
      afterKill: this.afterKill,
      etcdVersion: this.#choices.version,
      topology: this.topology,
      ports,
      keepData: this.keepData,
      quotaBytes: null,
      dataDir: null,
    }
    this.busy = true
    const reply = await this.#session.send({ type: 'start', options })
    this.busy = false
    if (reply.type !== 'problem' || reply.problem.code === CALLED_OFF) return
    // A start that fails is told as a phase, and shown from there.
    if (this.#session.phase.name !== 'failed') this.#session.problem = reply.problem
  }

  async stop(): Promise<void> {
    this.busy = true
    await this.#session.act({ type: 'stop' })
    this.busy = false
  }

  /** Stops the cluster, and starts one whose members speak with each other in another way. */
  async restartAs(topology: TopologyName): Promise<void> {
    await this.stop()
    this.topology = topology
    await this.start()
  }

  async restart(member: string): Promise<void> {
    await this.#session.act({ type: 'restartMember', member })
  }

  async defragment(member: string): Promise<void> {
    await this.#session.act({ type: 'defragment', member })
  }
}
