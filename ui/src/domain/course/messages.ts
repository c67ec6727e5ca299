/** Words around a scenario; those of the scenario itself are the lab's. */
import type { Control, Profile } from '$shared/api/lab'

export const words = {
  yours: 'your prediction',
  right: 'what happened',
  choiceKey: (number: number) => `Press ${number}`,
  level: 'The level you expect',
  levelHow: 'Press on the chart, or use the slider.',
  levelYours: 'you',
  levelMeasured: 'measured',
  now: 'now',
  youSaid: 'You said',

  actions: 'What is done',
  showMe: 'Show me',
  showMeWhere: 'Show the control that does this by hand',
  state: { waiting: 'Not done yet', running: 'Being done', done: 'Done', failed: 'Failed' },

  checks: 'Proof',
  requires: 'Before it begins',
  wanted: 'wanted',
  met: 'Holds',
  notMet: 'Does not hold yet',
  nothing: 'nothing measured yet',
  held: (held: number, hold: number) => `held ${held} of ${hold} s`,
  more: (count: number) => `${count} more`,

  profile: { quick: 'Quick', talk: 'Talk' } satisfies Record<Profile, string>,
  progress: (met: number, all: number) => `${met} of ${all} steps`,
}

/** What a control is called where it is pointed at. */
export const controls: Record<Control, string> = {
  putLoad: 'Put load',
  rangeLoad: 'Range load',
  failpoints: 'Failpoints',
  links: 'Links',
  operations: 'Operations',
  none: '',
}
