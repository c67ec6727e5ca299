/** Starting and stopping the cluster, and what is done to its members. Holds the person's choices; draws nothing. */
import type { MemberAction, Ports, Problem, StartOptions, TopologyName } from '$shared/api/lab'

import type { StartChoices } from './choices.svelte'
import { CALLED_OFF, type Session } from './session.svelte'

export class ClusterControl {
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
    const { runtime, afterKill, version } = this.#choices
    const options: StartOptions = {
      runtime,
      afterKill,
      etcdVersion: version,
      topology: this.topology,
      ports,
      // In Docker, data lies in volumes that go with the cluster.
      keepData: this.keepData && runtime === 'native',
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

  /** Starts it as child processes, where Docker is in the way. */
  startNatively(): Promise<void> {
    this.#choices.runtime = 'native'
    return this.start()
  }

  /** Stops the cluster, and starts one whose members speak with each other in another way. */
  async restartAs(topology: TopologyName): Promise<void> {
    this.#choices.runtime = this.#session.cluster?.runtime ?? this.#choices.runtime
    await this.stop()
    this.topology = topology
    await this.start()
  }

  async restart(member: string): Promise<void> {
    await this.#session.act({ type: 'restartMember', member })
  }

  async act(member: string, action: MemberAction): Promise<void> {
    await this.#session.act({ type: 'actOnMember', member, action })
  }

  async defragment(member: string): Promise<void> {
    await this.#session.act({ type: 'defragment', member })
  }
}
