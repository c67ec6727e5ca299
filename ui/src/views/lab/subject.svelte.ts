/** What the lab screen is about, put or range, and which step of its diagram is lit. */
import type { LoadKind } from '$domain/loads/fields'

class SubjectState {
  kind = $state<LoadKind>('put')
  step = $state<number | null>(null)
  /** The diagram fills the window. */
  full = $state(false)

  choose(kind: LoadKind): void {
    if (kind === this.kind) return
    this.kind = kind
    this.step = null
  }
}

export const subject = new SubjectState()
