/** A step as a test begins from. */
import type { CourseView, StepRecord, StepSummary, StepView } from '$shared/api/lab'

export const STEP: StepView = {
  id: 'all',
  number: 1,
  title: 'Puts wait for the disk.',
  text: '',
  phase: { name: 'act' },
  requires: [],
  prediction: {
    question: 'What happens?',
    choices: ['They stop.', 'They slow down.'],
    level: null,
    guess: null,
    verdict: null,
  },
  actions: [],
  toBeFound: false,
  solved: false,
  panels: [],
  diagram: null,
  arrows: [],
  checks: [],
  hint: null,
  hasHint: true,
  why: null,
  roles: [],
}

export const RECORD: StepRecord = {
  met: true,
  solved: false,
  predicted: 'They stop.',
  right: false,
  measured: [],
  profile: 'quick',
  etcdVersion: '3.5.9',
  atMs: 0,
}

export const summary = (id: string, record: StepRecord | null = null): StepSummary => ({ id, title: id, record })

export const COURSE: CourseView = {
  options: {
    scenario: 'slow-disk',
    step: null,
    profile: 'quick',
    runtime: 'native',
    etcdVersion: null,
    ports: 'topology',
    recorded: true,
  },
  title: 'Slow disk',
  steps: [summary('all'), summary('one')],
  step: STEP,
  finished: false,
  progressProblem: null,
}
