/** What a member looks like: its colour, and how its health is told in a glyph and a word. */
import type { ClusterView, MemberAction, MemberState, MemberView } from '$shared/api/lab'
import type { IconName } from '$shared/ui/icons'

/** Hues made for members; a larger cluster goes on with greys. */
const HUES = 5

/** A custom property: the member's colour everywhere. */
export const hueName = (index: number): string => (index >= 0 && index < HUES ? `--m${index}` : '--other')
export const hue = (index: number): string => `var(${hueName(index)})`

/** Place of a member by name, known even before the cluster tells: names end in their number. */
export function memberIndex(cluster: ClusterView | null, name: string): number {
  const known = cluster?.members.find((member) => member.name === name)
  if (known) return known.index
  const number = /(\d+)$/.exec(name)?.[1]
  return number === undefined ? -1 : Number(number) - 1
}

/** The member with an id, as peers' metrics tell it; anything else is given back. */
export const memberName = (cluster: ClusterView | null, id: string): string =>
  cluster?.members.find((member) => member.id === id)?.name ?? id

export interface Health {
  readonly word: string
  readonly icon: IconName
  readonly tone: 'good' | 'warn' | 'bad' | 'muted'
}

const HEALTH: Record<MemberState, Health> = {
  starting: { word: 'Starting', icon: 'clock', tone: 'muted' },
  healthy: { word: 'Healthy', icon: 'healthy', tone: 'good' },
  noLeader: { word: 'No leader', icon: 'question', tone: 'warn' },
  unreachable: { word: 'No answer', icon: 'alert', tone: 'bad' },
  paused: { word: 'Paused', icon: 'pause', tone: 'warn' },
  exited: { word: 'Exited', icon: 'off', tone: 'bad' },
}

export const health = (state: MemberState): Health => HEALTH[state]

/** What can be done to a member in that state; one that is held can't be asked to end. */
export function possible(state: MemberState): readonly MemberAction[] {
  if (state === 'exited') return []
  return state === 'paused' ? ['resume', 'kill'] : ['pause', 'stop', 'kill']
}

export const role = (member: MemberView): string => (member.leader ? 'leader' : member.learner ? 'learner' : 'follower')

/** After so long without an answer a member's figures are of then; it is asked each second. */
const SILENT_MS = 3000

/** Seconds since a member's figures were true, or 0 while they are; one that never answered has none. */
export function asOfS(member: Pick<MemberView, 'state' | 'answeredMs'>, nowMs: number): number {
  if (member.answeredMs === 0) return 0
  const age = nowMs - member.answeredMs
  const gone = member.state === 'exited' || member.state === 'unreachable' || member.state === 'paused'
  return gone || age > SILENT_MS ? Math.max(1, Math.floor(age / 1000)) : 0
}

export const leaderOf = (cluster: ClusterView | null): string | undefined =>
  cluster?.members.find((member) => member.leader)?.name
