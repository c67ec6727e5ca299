/** A made-up course through the lab's real scenarios: their texts, and measurements like those that were made. */
import { parse } from 'yaml'

import type {
  ActionState,
  ActionView,
  CheckView,
  Command,
  CourseView,
  Guess,
  MeasuredView,
  PredictionView,
  Problem,
  ScenarioView,
  StepPhase,
  StepRecord,
  StepSummary,
  StepView,
} from '$shared/api/lab'
import { format } from '$shared/format/format'

import { dashboards } from './content'
import { COURSE_STORIES, type CourseStory } from './stories'
import { MEMBERS } from './world'

interface StepInFile {
  id: string
  predict?: {
    question: string
    choices?: { text: string; right: boolean; reply: string }[]
    level?: { panel: { dashboard: string; panel: string }; min: number; max: number; scale: string; unit: string }
  }
  do?: object[]
  solve?: object[]
  watch?: { panels?: { dashboard: string; panel: string }[]; diagram?: string; arrows?: number[] }
  check?: { within: number; hold?: number; all: { that: string; met?: string; missed?: string; unit?: string }[] }
}
interface ScenarioInFile {
  id: string
  title: string
  about: string
  minutes: { quick: number; talk: number }
  values?: { quick?: Record<string, unknown> }
  steps: StepInFile[]
}

const files = import.meta.glob<string>('../../../src-tauri/scenarios/*/scenario.yaml', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const texts = import.meta.glob<string>('../../../src-tauri/scenarios/*/steps/*.md', {
  query: '?raw',
  import: 'default',
  eager: true,
})

const ROLES: Record<string, string> = { slow: 'etcd-2', other: 'etcd-3', boss: 'etcd-1', fast: '4,512/s' }

/** With the numbers of profile quick, and members in the place of roles. */
const filled = (text: string, values: Record<string, unknown>): string =>
  text
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
    .replace(/@(\w+)/g, (whole, name: string) => ROLES[name] ?? whole)

interface Read {
  readonly number: number
  readonly file: ScenarioInFile
  readonly text: (step: string) => { title: string; body: string; hint: string | null; why: string }
}

const scenarios: Read[] = Object.entries(files)
  .map(([path, raw]) => {
    const folder = path.slice(0, path.lastIndexOf('/'))
    // In the steps stand names that are no YAML before they are filled in.
    const values = (parse(raw.split(/^steps:/m)[0] ?? '') as ScenarioInFile).values?.quick ?? {}
    return {
      number: Number(/(\d+)-[^/]+$/.exec(folder)?.[1] ?? 0),
      file: parse(filled(raw, values)) as ScenarioInFile,
      text: (step: string) => {
        const [head = '', ...sections] = filled(texts[`${folder}/steps/${step}.md`] ?? `# ${step}`, values).split(
          /^## /m,
        )
        const [, title = step, body = ''] = /^# (.*)\n?([^]*)$/.exec(head) ?? []
        const section = (name: string) =>
          sections
            .find((each) => each.startsWith(name))
            ?.replace(/^.*\n/, '')
            .trim()
        return { title, body: body.trim(), hint: section('Hint') ?? null, why: section('Why') ?? '' }
      },
    }
  })
  .filter(({ number }) => number < 10)
  .sort((a, b) => a.number - b.number)

const isCourseStory = (story: string): story is CourseStory => (COURSE_STORIES as readonly string[]).includes(story)

const problem = (code: string, sentence: string, next: string): Problem => ({
  code,
  sentence,
  next,
  detail: '',
  member: null,
  log: [],
})
const DIED = problem(
  'load-died',
  'The load “puts” ended by itself: no member answered its clients.',
  'Set the stage for this step again; what was done before it is kept.',
)
const TAKEN = problem(
  'port-taken',
  'Port 2379, where etcd-1 would listen, is taken by etcd (process 3127).',
  'Stop that program, or let the lab move to free ports.',
)

/** Where a story begins: scenario, step from 0, phase. */
const PLACES: Partial<Record<CourseStory, readonly [string, number, StepPhase]>> = {
  'course-setting': ['slow-disk', 1, { name: 'setting', doing: 'Waiting for what the step needs' }],
  'course-predict': ['slow-disk', 1, { name: 'predict' }],
  'course-level': ['slow-disk', 4, { name: 'predict' }],
  'course-act': ['slow-disk', 0, { name: 'act' }],
  'course-found': ['database-size-limit', 3, { name: 'act' }],
  'course-watching': ['slow-disk', 0, { name: 'watching', elapsedS: 7, withinS: 30 }],
  'course-met': ['slow-disk', 0, { name: 'met' }],
  'course-wrong': ['slow-disk', 1, { name: 'met' }],
  'course-missed': ['slow-disk', 0, { name: 'missed' }],
  'course-broken': ['slow-disk', 2, { name: 'broken', problem: DIED }],
  'course-port': ['slow-disk', 0, { name: 'broken', problem: TAKEN }],
  'course-finished': ['slow-disk', 6, { name: 'met' }],
}

export class FakeCourse {
  #course: CourseView | null = null
  #records = new Map<string, StepRecord>()
  readonly #tell: (course: CourseView | null) => void

  constructor(story: string, tell: (course: CourseView | null) => void) {
    this.#tell = tell
    if (!isCourseStory(story)) return
    if (story !== 'newcomer') this.#remember('puts-and-ranges', 99)
    const [id, at, phase] = PLACES[story] ?? ['slow-disk', 3, null]
    this.#remember(id, story === 'course-finished' ? 99 : at)
    if (story === 'newcomer') this.#records.clear()
    if (phase) this.#course = this.#at(id, at, phase, story)
    if (this.#course && story === 'course-finished') this.#course = { ...this.#course, finished: true }
  }

  get course(): CourseView | null {
    return this.#course
  }

  get scenarios(): ScenarioView[] {
    return scenarios.map(({ number, file }) => ({
      id: file.id,
      number,
      title: file.title,
      about: file.about.trim(),
      quickMinutes: file.minutes?.quick ?? 1,
      talkMinutes: file.minutes?.talk ?? 1,
      steps: this.#steps(file.id),
    }))
  }

  /** Whether the command was one of a course's. */
  take(command: Command): boolean {
    const course = this.#course
    switch (command.type) {
      case 'beginScenario': {
        const { scenario, step } = command.options
        const at = Math.max(
          0,
          this.#steps(scenario).findIndex(({ id }) => id === step),
        )
        this.#set(this.#at(scenario, at, { name: 'setting', doing: 'Starting a cluster' }, 'begun'))
        setTimeout(() => this.#set(this.#at(scenario, at, { name: 'predict' }, 'begun')), 1500)
        return true
      }
      case 'predict':
        if (course) this.#enter({ name: 'act' }, command.guess)
        return true
      case 'doStep':
      case 'solveStep':
        this.#enter({ name: 'watching', elapsedS: 1, withinS: 30 })
        setTimeout(() => this.#enter({ name: 'met' }), 2500)
        return true
      case 'showHint':
        if (course) this.#set({ ...course, step: { ...course.step, hint: textOf(course).hint } })
        return true
      case 'nextStep':
        if (!course) return true
        if (course.step.number === course.steps.length) this.#set({ ...course, finished: true })
        else this.#set(this.#at(course.options.scenario, course.step.number, { name: 'predict' }, 'begun'))
        return true
      case 'restartStep':
        if (course) this.#set(this.#at(course.options.scenario, course.step.number - 1, { name: 'predict' }, 'begun'))
        return true
      case 'leaveScenario':
        this.#set(null)
        return true
      case 'forgetProgress':
        for (const { id } of this.#steps(command.scenario ?? '')) this.#records.delete(`${command.scenario}/${id}`)
        return true
      default:
        return false
    }
  }

  #set(course: CourseView | null): void {
    this.#course = course
    this.#tell(course)
  }

  #enter(phase: StepPhase, guess?: Guess): void {
    const course = this.#course
    if (!course) return
    const now = guess ?? course.step.prediction?.guess ?? null
    this.#set({ ...course, step: stepView(course.options.scenario, course.step.number - 1, phase, now) })
  }

  #at(id: string, at: number, phase: StepPhase, story: string): CourseView {
    const guess: Guess | null =
      phase.name === 'predict' ? null : { kind: 'choice', choice: story === 'course-wrong' ? 0 : 1 }
    const steps = this.#steps(id)
    const last = Math.min(at, steps.length - 1)
    return {
      options: {
        scenario: id,
        step: null,
        profile: 'quick',
        runtime: 'native',
        etcdVersion: null,
        ports: 'topology',
        recorded: true,
      },
      title: scenarios.find(({ file }) => file.id === id)?.file.title ?? id,
      steps,
      step: stepView(id, last, phase, guess),
      finished: false,
      progressProblem: null,
    }
  }

  #steps(id: string): StepSummary[] {
    const read = scenarios.find(({ file }) => file.id === id)
    return (read?.file.steps ?? []).map((step) => ({
      id: step.id,
      title: read?.text(step.id).title ?? step.id,
      record: this.#records.get(`${id}/${step.id}`) ?? null,
    }))
  }

  /** The first steps of a scenario were gone through: mostly with the right prediction, one solved by the lab. */
  #remember(id: string, count: number): void {
    this.#steps(id)
      .slice(0, count)
      .forEach((step, at) =>
        this.#records.set(`${id}/${step.id}`, {
          met: true,
          solved: at === 2,
          predicted: at === 3 ? null : 'Some multiple of 100 ms, as it waits for a running fsync first.',
          right: at === 3 ? null : at !== 1,
          measured: ['etcd-1 101 ms, etcd-2 102 ms, etcd-3 101 ms, and at least 100 ms was wanted. Each sleep shows.'],
          profile: 'quick',
          etcdVersion: '3.5.9',
          atMs: Date.now() - 3_600_000,
        }),
      )
  }
}

function textOf(course: CourseView) {
  const read = scenarios.find(({ file }) => file.id === course.options.scenario)
  return read?.text(course.step.id) ?? { title: '', body: '', hint: null, why: '' }
}

const panelRefs = (refs: readonly { dashboard: string; panel: string }[]) =>
  refs.flatMap(({ dashboard, panel }) => {
    const board = dashboards.find((each) => each.title === dashboard)
    const found = board?.rows.flatMap((row) => row.panels).find((each) => each.title === panel)
    return board && found ? [{ dashboard: board.uid, panel: found.id }] : []
  })

function stepView(id: string, at: number, phase: StepPhase, guess: Guess | null): StepView {
  const read = scenarios.find(({ file }) => file.id === id)
  const step = read?.file.steps[at]
  if (!read || !step) throw new Error(`there is no step ${at} of ${id}`)
  const text = read.text(step.id)
  const met = phase.name === 'met'
  const told = met || phase.name === 'missed'
  return {
    id: step.id,
    number: at + 1,
    title: text.title,
    text: text.body,
    phase,
    requires: [],
    prediction: prediction(step, guess, met),
    actions: step.solve ? [] : (step.do ?? []).map((action) => actionView(action, phase)),
    toBeFound: step.solve !== undefined,
    solved: false,
    panels: panelRefs(step.watch?.panels ?? []),
    diagram: step.watch?.diagram ?? null,
    arrows: step.watch?.arrows ?? [],
    checks: (step.check?.all ?? []).map((check, index) => checkView(check, index, phase, step.check?.hold ?? 0)),
    hint: phase.name === 'missed' ? text.hint : null,
    hasHint: text.hint !== null,
    why: told ? text.why : null,
    roles: [],
  }
}

function prediction(step: StepInFile, guess: Guess | null, met: boolean): PredictionView | null {
  const asked = step.predict
  if (!asked) return null
  const right = asked.choices?.findIndex((choice) => choice.right) ?? 0
  const chosen = guess?.kind === 'choice' ? guess.choice : right
  const level = asked.level
  return {
    question: asked.question.trim(),
    choices: asked.choices?.map(({ text }) => text) ?? [],
    level: level
      ? {
          panel: panelRefs([level.panel])[0] ?? { dashboard: '', panel: 0 },
          min: level.min,
          max: level.max,
          logarithmic: level.scale === 'log',
          unit: level.unit,
        }
      : null,
    guess: level && guess ? { kind: 'level', level: level.min * 40 } : guess,
    verdict: met
      ? {
          right: guess === null ? null : chosen === right,
          rightChoice: level ? null : right,
          measured: level ? level.min * 90 : null,
          says: asked.choices?.[chosen]?.reply.trim() ?? '',
        }
      : null,
  }
}

function actionView(action: object, phase: StepPhase): ActionView {
  const [kind = ''] = Object.keys(action)
  const state: ActionState =
    phase.name === 'act'
      ? { name: 'waiting' }
      : phase.name === 'watching' && phase.elapsedS < 2
        ? { name: 'running' }
        : { name: 'done' }
  if (kind === 'failpoint')
    return {
      text: 'Set `walBeforeFdatasync` to `sleep(100)` on etcd-1, etcd-2, etcd-3',
      commands: [11180, 21180, 31180].map(
        (port) => `curl http://127.0.0.1:${port}/walBeforeFdatasync -XPUT -d'sleep(100)'`,
      ),
      control: 'failpoints',
      state,
    }
  if (kind === 'load')
    return {
      text: 'Start the load “puts”: 200 clients',
      commands: ['etcd-labctl bench --clients=200 --conns=200 put --sequential-keys --total=100000000'],
      control: 'putLoad',
      state,
    }
  return { text: kind, commands: [], control: 'operations', state }
}

function checkView(
  check: { that: string; met?: string; missed?: string; unit?: string },
  index: number,
  phase: StepPhase,
  holdS: number,
): CheckView {
  const watched = phase.name === 'watching'
  const met = phase.name === 'met' || (watched && index === 0)
  const unit = check.unit ?? 'short'
  const level = unit === 's' ? 0.1 : 100
  const valued = (subject: string, value: number): MeasuredView => ({
    subject,
    value,
    text: format(value, unit),
    ok: met,
  })
  const measured =
    index === 0
      ? MEMBERS.map((member, at) => valued(member, level * ((met ? 1.01 : 0.06) + at * 0.01)))
      : [valued('', level * (met ? 3.12 : 0.48))]
  const wanted = `≥ ${format(level, unit)}`
  const fill = (text: string) => text.replaceAll('{measured}', measured[0]?.text ?? '').replaceAll('{wanted}', wanted)
  const figures = `Measured ${measured.map(({ subject, text }) => `${subject} ${text}`.trim()).join(', ')}; wanted ${wanted}.`
  return {
    that: check.that,
    met,
    measured,
    wanted,
    says:
      phase.name === 'met' || phase.name === 'missed'
        ? `${figures} ${fill((met ? check.met : check.missed) ?? '').trim()}`
        : '',
    heldS: met ? (watched ? 1 : holdS) : 0,
    holdS,
    query: null,
  }
}
