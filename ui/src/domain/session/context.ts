/** Hands the session to the components below. */
import { getContext, setContext } from 'svelte'

import type { CourseControl } from '$domain/course/course.svelte'
import type { DockerControl } from '$domain/docker/docker.svelte'
import type { Glossary } from '$domain/glossary/glossary.svelte'
import type { FaultControl } from '$domain/faults/faults.svelte'
import type { Bench } from '$domain/loads/bench.svelte'

import type { StartChoices } from './choices.svelte'
import type { Clock } from './clock.svelte'
import type { ClusterControl } from './control.svelte'
import type { Session } from './session.svelte'
import type { Watch } from './watch.svelte'

export interface Lab {
  readonly choices: StartChoices
  readonly control: ClusterControl
  readonly benches: { readonly put: Bench; readonly range: Bench }
  readonly docker: DockerControl
  readonly faults: FaultControl
  readonly glossary: Glossary
  readonly course: CourseControl
  readonly session: Session
  readonly watch: Watch
  readonly clock: Clock
}

const KEY = Symbol('lab')

export const provideLab = (lab: Lab): Lab => setContext(KEY, lab)
export const useLab = (): Lab => getContext<Lab>(KEY)
