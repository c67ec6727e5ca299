import { expect, it, vi } from 'vitest'

import { Session } from '$domain/session/session.svelte'
import type { Command, LoadState, LoadView, Problem, Reply } from '$shared/api/lab'

import { Bench } from './bench.svelte'

const REFUSAL: Problem = {
  code: 'bad-load',
  sentence: '--key-size: a key space of 100000 needs keys of at least 3 bytes, not 1.',
  next: 'Change that number and start again.',
  detail: '',
  member: null,
  log: [],
}
const SAID = 'Key size, bytes: a key space of 100000 needs keys of at least 3 bytes, not 1'

function made(answer: (command: Command) => Reply = () => ({ type: 'done' })) {
  const sent: Command[] = []
  const session = new Session({
    send: async (command) => {
      sent.push(command)
      return answer(command)
    },
    subscribe: async () => undefined,
    open: async () => false,
  })
  return { sent, session, bench: new Bench(session, 'put') }
}

it('forgets every run that is over, so that none stands there as if it were the last', async () => {
  const { sent, session, bench } = made()
  const run = (id: number, kind: string, name: LoadState['name']) =>
    session.loads.set(id, { id, spec: { workload: { kind } }, state: { name } } as unknown as LoadView)
  run(1, 'put', 'ended')
  run(2, 'range', 'ended')
  run(3, 'put', 'failed')
  run(4, 'put', 'running')
  await bench.forget()
  expect(sent).toEqual([
    { type: 'forgetLoad', id: 1 },
    { type: 'forgetLoad', id: 3 },
  ])
})

it('says at the field what the lab has against it, until that is changed', async () => {
  const { bench } = made((command) =>
    command.type === 'loadCommand' && command.spec.workload.kind === 'put' && command.spec.workload.keySize < 3
      ? { type: 'problem', problem: REFUSAL }
      : { type: 'text', text: 'etcd-labctl bench put' },
  )
  bench.type('keySize', '1')
  bench.describe()
  await vi.waitFor(() => expect(bench.wrong).toEqual({ keySize: SAID }))
  expect(bench.preview).toBe('')
  bench.type('keySize', '8')
  bench.describe()
  await vi.waitFor(() => expect(bench.wrong).toEqual({}))
  expect(bench.preview).toBe('etcd-labctl bench put')
})

it('leads back to the numbers when a start is refused for them', async () => {
  const { bench } = made(() => ({ type: 'problem', problem: REFUSAL }))
  await bench.start()
  expect(bench.pane).toBe('numbers')
  expect(bench.problem).toBeNull()
  expect(bench.wrong).toEqual({ keySize: SAID })
})
