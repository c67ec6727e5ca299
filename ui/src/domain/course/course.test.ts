import { describe, expect, it } from 'vitest'

import type { Command, Problem, Reply, ScenarioView, StepPhase, StepView } from '$shared/api/lab'

import { StartChoices } from '$domain/session/choices.svelte'
import { Session } from '$domain/session/session.svelte'

import { CourseControl } from './course.svelte'
import { COURSE, RECORD, STEP, summary } from './fixtures'
import { levelAt, shareAt, ticksOf } from './level'
import { begun, piecesOf } from './names'
import { canHint, canSolve, guessText, pressed, primaryOf } from './primary'
import { isNew, nextScenario, predictionsOf, progressOf, resumeAt, scenarioAfter, shareOf, untouched } from './progress'

const PROBLEM: Problem = { code: 'etcd-died', sentence: 'X.', next: 'Y.', detail: '', member: null, log: [] }
const at = (phase: StepPhase, more: Partial<StepView> = {}): StepView => ({ ...STEP, ...more, phase })
const BROKEN: StepPhase = { name: 'broken', problem: PROBLEM }
const TAKEN: StepPhase = { name: 'broken', problem: { ...PROBLEM, code: 'port-taken' } }
const NO_ENGINE: StepPhase = { name: 'broken', problem: { ...PROBLEM, code: 'docker-missing' } }

describe('the primary button', () => {
  it.each<[string, StepView, string | null]>([
    ['waits while the stage is set', at({ name: 'setting', doing: 'x' }), null],
    ['asks for the prediction', at({ name: 'predict' }), 'predict'],
    ['does what is to be done', at({ name: 'act' }), 'do'],
    ['leaves what is to be found to the person', at({ name: 'act' }, { toBeFound: true }), null],
    ['waits while it is watched', at({ name: 'watching', elapsedS: 3, withinS: 9 }), null],
    ['goes on once it is met', at({ name: 'met' }), 'next'],
    ['ends after the last step', at({ name: 'met' }, { number: 2 }), 'finish'],
    ['restarts what was missed', at({ name: 'missed' }), 'restart'],
    ['sets a broken stage again', at(BROKEN), 'restart'],
    ['offers to go without Docker where that is in the way', at(NO_ENGINE), 'natively'],
    ['offers free ports where one is taken', at(TAKEN), 'freePorts'],
  ])('%s', (_, step, wanted) => expect(primaryOf(step, 2)).toBe(wanted))
})

describe('keys', () => {
  it.each<[string, StepView, ReturnType<typeof pressed>]>([
    ['2', at({ name: 'predict' }), { do: 'choose', choice: 1 }],
    ['3', at({ name: 'predict' }), null],
    ['1', at({ name: 'act' }), null],
    ['Enter', at({ name: 'act' }), { do: 'primary' }],
    ['n', at({ name: 'met' }), { do: 'next' }],
    ['N', at({ name: 'act' }), null],
    ['p', at({ name: 'predict' }), { do: 'pass' }],
    ['h', at({ name: 'act' }), { do: 'hint' }],
    ['h', at({ name: 'act' }, { hint: 'shown' }), null],
    ['r', at({ name: 'missed' }), { do: 'restart' }],
    ['r', at({ name: 'act' }), null],
    ['x', at({ name: 'act' }), null],
  ])('%s', (key, step, wanted) => expect(pressed(key, step)).toEqual(wanted))
})

it('hints and solves only where there is something to hint at and to solve', () => {
  expect(canHint(at({ name: 'met' }))).toBe(false)
  expect(canHint(at({ name: 'missed' }, { hasHint: false }))).toBe(false)
  expect(canSolve(at({ name: 'missed' }, { toBeFound: true }))).toBe(true)
  expect(canSolve(at({ name: 'act' }))).toBe(false)
  expect(canSolve(at({ name: 'act' }, { toBeFound: true, solved: true }))).toBe(false)
})

it('tells a guess in the words of the question', () => {
  const level = (value: number) => `${value} s`
  expect(guessText({ kind: 'choice', choice: 1 }, ['a', 'b'], level)).toBe('b')
  expect(guessText({ kind: 'level', level: 2 }, [], level)).toBe('2 s')
  expect(guessText({ kind: 'pass' }, ['a'], level)).toBeNull()
  expect(guessText(null, ['a'], level)).toBeNull()
})

describe('progress', () => {
  const steps = [summary('a', RECORD), summary('b', { ...RECORD, met: false, right: null }), summary('c')]
  const scenario = (id: string, steps: ScenarioView['steps']): ScenarioView => ({
    id,
    number: 0,
    title: id,
    about: '',
    quickMinutes: 1,
    talkMinutes: 2,
    steps,
  })

  it('counts steps that were met', () => {
    expect(progressOf(steps)).toEqual({ met: 1, all: 3 })
    expect(shareOf(progressOf(steps))).toBeCloseTo(1 / 3)
    expect(shareOf(progressOf([]))).toBe(0)
  })

  it('counts a missed step as tried, and goes on there', () => {
    expect(untouched(steps)).toBe(false)
    expect(untouched([summary('a')])).toBe(true)
    expect(resumeAt(steps)?.id).toBe('b')
    expect(resumeAt([summary('a', RECORD)])?.id).toBe('a')
  })

  it('counts predictions that were made', () => {
    expect(predictionsOf(steps)).toEqual({ right: 0, made: 1 })
    expect(predictionsOf([summary('a', { ...RECORD, right: true }), ...steps])).toEqual({ right: 1, made: 2 })
  })

  it('knows who is new', () => {
    expect(isNew([scenario('first', [summary('a')])])).toBe(true)
    expect(isNew([scenario('first', [summary('a')]), scenario('second', steps)])).toBe(false)
    expect(isNew([])).toBe(false)
  })

  it('leads from scenario to scenario', () => {
    const all = [scenario('first', [summary('a', RECORD)]), scenario('second', steps), scenario('third', steps)]
    expect(nextScenario(all)?.id).toBe('second')
    expect(scenarioAfter(all, 'second')?.id).toBe('third')
    expect(scenarioAfter(all, 'third')).toBeUndefined()
    expect(scenarioAfter(all, 'other')).toBeUndefined()
  })
})

describe('members in a text', () => {
  const members = ['etcd-1', 'etcd-10', 'etcd-2']
  const named = (text: string) => piecesOf(text, members).map(({ text, member }) => (member ? `[${text}]` : text))

  it('are found, whole names only', () => {
    expect(named('etcd-1: 3 ms, etcd-10: 4 ms')).toEqual(['[etcd-1]', ': 3 ms, ', '[etcd-10]', ': 4 ms'])
    expect(named('etcd-2 etcd-1')).toEqual(['[etcd-2]', ' ', '[etcd-1]'])
    expect(named('etcd-100 and my-etcd-1')).toEqual(['etcd-100 and my-etcd-1'])
  })

  it('leave a text without any as it is', () => {
    expect(piecesOf('all disks', [])).toEqual([{ text: 'all disks', member: null }])
    expect(piecesOf('', [])).toEqual([])
  })
})

it.each([
  ['puts go on', 'Puts go on'],
  ['etcd-1 leads', 'etcd-1 leads'],
  ['p99 fsync is', 'p99 fsync is'],
])('begins %j like a sentence: %j', (text, wanted) => expect(begun(text)).toBe(wanted))

describe('a level', () => {
  const log = { min: 0.001, max: 10, logarithmic: true }
  const linear = { min: 0, max: 2000, logarithmic: false }

  it('stands where its axis says, and comes back from there', () => {
    expect(shareAt(log, 0.1)).toBeCloseTo(0.5)
    expect(levelAt(log, 0.5)).toBe(0.1)
    expect(shareAt(linear, 500)).toBe(0.25)
    expect(levelAt(linear, 0.25)).toBe(500)
  })

  it('stays between its ends', () => {
    expect(shareAt(log, 99)).toBe(1)
    expect(levelAt(log, 1.4)).toBe(10)
    expect(levelAt(linear, -1)).toBe(0)
    expect(shareAt({ min: 1, max: 1, logarithmic: false }, 1)).toBe(0)
  })

  it('names powers of ten, or even parts', () => {
    expect(ticksOf(log).map((tick) => Number(tick.toPrecision(3)))).toEqual([0.001, 0.01, 0.1, 1, 10])
    expect(ticksOf(linear)).toEqual([0, 500, 1000, 1500, 2000])
  })
})

describe('steering a course', () => {
  function steered(answer: Reply = { type: 'done' }) {
    const sent: Command[] = []
    const send = async (command: Command): Promise<Reply> => {
      sent.push(command)
      return command.type === 'scenarios' ? { type: 'scenarios', scenarios: [] } : answer
    }
    const session = new Session({ send, subscribe: async () => undefined, open: async () => false })
    const choices = new StartChoices(session)
    return { sent, session, choices, control: new CourseControl(session, choices) }
  }

  it('begins with what was chosen, and keeps the progress', async () => {
    const { sent, choices, control } = steered()
    control.profile = 'talk'
    choices.version = '3.7.3'
    await control.begin('slow-disk', 'one')
    expect(sent).toEqual([
      {
        type: 'beginScenario',
        options: {
          scenario: 'slow-disk',
          step: 'one',
          profile: 'talk',
          runtime: 'native',
          etcdVersion: '3.7.3',
          ports: 'topology',
          recorded: true,
        },
      },
    ])
  })

  it('goes to free ports at the step where it was', async () => {
    const { sent, session, control } = steered()
    session.course = COURSE
    await control.beginOnFreePorts()
    expect(sent).toEqual([{ type: 'beginScenario', options: { ...COURSE.options, step: 'all', ports: 'auto' } }])
  })

  it('goes on without Docker at the step where it was, and stays without', async () => {
    const { sent, session, choices, control } = steered()
    choices.runtime = 'docker'
    session.course = { ...COURSE, options: { ...COURSE.options, runtime: 'docker' } }
    await control.beginNatively()
    expect(sent).toEqual([{ type: 'beginScenario', options: { ...COURSE.options, step: 'all', runtime: 'native' } }])
    expect(choices.runtime).toBe('native')
  })

  it('keeps the draft of a guess that was refused, and says why', async () => {
    const refused = steered({ type: 'problem', problem: PROBLEM })
    refused.control.draft = { kind: 'choice', choice: 0 }
    await refused.control.predict(refused.control.draft)
    expect(refused.control.problem).toEqual(PROBLEM)
    expect(refused.control.draft).not.toBeNull()

    const taken = steered()
    taken.control.draft = { kind: 'choice', choice: 0 }
    await taken.control.predict(taken.control.draft)
    expect(taken.control.draft).toBeNull()
  })

  it('leaves a draft behind with the step that it answers, whoever goes on', async () => {
    const { session, control } = steered()
    session.course = COURSE
    control.draft = { kind: 'level', level: 2 }
    session.course = { ...COURSE, step: { ...STEP, id: 'one' } }
    expect(control.draft).toBeNull()

    control.draft = { kind: 'choice', choice: 0 }
    await control.restart()
    expect(control.draft).toBeNull()
  })

  it('says whether it was carried out', async () => {
    expect(await steered().control.leave()).toBe(true)
    expect(await steered({ type: 'problem', problem: PROBLEM }).control.leave()).toBe(false)
  })

  it('asks once, however often it is pressed', async () => {
    const { sent, control } = steered()
    await Promise.all([control.do(), control.do()])
    expect(sent).toEqual([{ type: 'doStep' }])
  })

  it('reads the scenarios anew once progress is forgotten', async () => {
    const { sent, control } = steered()
    await control.forget('slow-disk')
    expect(sent.map(({ type }) => type)).toEqual(['forgetProgress', 'scenarios'])
  })
})
