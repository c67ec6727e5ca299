import { flushSync } from 'svelte'
import { describe, expect, it, vi } from 'vitest'

import type { Command, DockerView, Problem, Reply } from '$shared/api/lab'

import { StartChoices } from '$domain/session/choices.svelte'
import { Session } from '$domain/session/session.svelte'

import { DockerControl } from './docker.svelte'

const PROBLEM: Problem = { code: 'docker-missing', sentence: 'X.', next: 'Y.', detail: '', member: null, log: [] }
const VIEW: DockerView = {
  engine: {
    endpoint: 'unix:///s',
    product: 'Docker Engine',
    version: '20.10',
    apiVersion: '1.41',
    platform: 'linux/amd64',
  },
  problem: null,
  images: [],
}

function steered(answer: (command: Command) => Promise<Reply>) {
  const sent: Command[] = []
  const send = (command: Command) => {
    sent.push(command)
    return answer(command)
  }
  const session = new Session({ send, subscribe: async () => undefined, open: async (page) => page === 'grafana' })
  const choices = new StartChoices(session)
  return { sent, session, choices, control: new DockerControl(session, choices) }
}

const found = async (command: Command): Promise<Reply> =>
  command.type === 'docker' ? { type: 'docker', docker: VIEW } : { type: 'done' }

describe('Docker', () => {
  it('is looked for once it is chosen, and again when an image may be there that was not', async () => {
    const { sent, session, choices, control } = steered(found)
    const over = $effect.root(() => {
      $effect(() => control.follow())
    })
    session.link = 'live'
    flushSync()
    expect(sent).toEqual([])

    choices.runtime = 'docker'
    flushSync()
    await vi.waitFor(() => expect(control.view).toEqual(VIEW))
    expect(sent).toEqual([{ type: 'docker' }])

    session.imageWork = { kind: 'build', subject: 'x', step: '', done: null }
    flushSync()
    expect(sent).toHaveLength(1)
    session.imageWork = null
    flushSync()
    expect(sent).toHaveLength(2)
    over()
  })

  it('says why it can’t be used, also when the lab can’t even look', async () => {
    const { control } = steered(async () => ({ type: 'problem', problem: PROBLEM }))
    await control.look()
    expect(control.view).toEqual({ engine: null, problem: PROBLEM, images: [] })
  })

  it('shows the newest of two looks', async () => {
    const answers: ((reply: Reply) => void)[] = []
    const { control } = steered(() => new Promise((answer) => answers.push(answer)))
    const looks = [control.look(), control.look()]
    answers[1]?.({ type: 'docker', docker: VIEW })
    answers[0]?.({ type: 'problem', problem: PROBLEM })
    await Promise.all(looks)
    expect(control.view).toEqual(VIEW)
    expect(control.looking).toBe(false)
  })

  it('does one thing with images at a time, and looks what became of it', async () => {
    const { sent, control } = steered(found)
    const [first, second] = await Promise.all([control.save(' /media/stick/a.tar '), control.build('3.5.9')])
    expect([first, second]).toEqual([true, false])
    expect(sent).toEqual([{ type: 'saveImages', etcdVersions: [], file: '/media/stick/a.tar' }, { type: 'docker' }])
    expect(control.done).toEqual(sent[0])
    expect(control.asked).toBeNull()
  })

  it('says what could not be done with an image', async () => {
    const { control } = steered(async (command) =>
      command.type === 'docker' ? found(command) : { type: 'problem', problem: PROBLEM },
    )
    expect(await control.load('/a.tar')).toBe(false)
    expect(control.problem).toEqual(PROBLEM)
    expect(control.done).toBeNull()
  })

  it('tells the window what could not be stopped; what could not be started is told as a state', async () => {
    const { session, control } = steered(async () => ({ type: 'problem', problem: PROBLEM }))
    await control.switchObservers(true)
    expect(session.problem).toBeNull()
    await control.switchObservers(false)
    expect(session.problem).toEqual(PROBLEM)
    expect(control.switching).toBe(false)
  })

  it('opens a page where there is a browser', async () => {
    const { control } = steered(found)
    expect(await control.open('grafana')).toBe(true)
    expect(await control.open('prometheus')).toBe(false)
  })
})
