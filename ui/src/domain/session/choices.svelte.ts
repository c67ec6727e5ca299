/** What the person chose for the next cluster, whether they start it or a scenario does. Draws nothing. */
import type { AfterKill, Ports, RuntimeKind } from '$shared/api/lab'

import type { Session } from './session.svelte'

export class StartChoices {
  runtime = $state<RuntimeKind>('native')
  /** Of a cluster in Docker; child processes always end with the program. */
  afterKill = $state<AfterKill>('remove')
  /** The lab's default while `null`. */
  version = $state<string | null>(null)
  ports = $state<Ports>('topology')

  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get chosenVersion(): string {
    return this.version ?? this.#session.lab?.defaultEtcdVersion ?? ''
  }

  get versions(): readonly string[] {
    return this.#session.lab?.etcdVersions ?? []
  }
}
