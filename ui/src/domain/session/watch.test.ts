import { expect, it } from 'vitest'

import type { Command, Reply } from '$shared/api/lab'
import type { Host } from '$shared/host/host'

import { Session } from './session.svelte'
import { Watch } from './watch.svelte'

it('tells the lab what is drawn, once for each change, and again when it could not', async () => {
  const sent: Command[] = []
  let answer: Reply = { type: 'done' }
  const host: Host = {
    send: async (command) => {
      sent.push(command)
      return answer
    },
    subscribe: async () => undefined,
    open: async () => false,
  }
  const session = new Session(host)
  const watch = new Watch(session)
  watch.want({ panels: [{ dashboard: 'a', panel: 1 }], diagrams: ['puts'] })
  watch.tell()
  expect(sent).toEqual([])

  session.link = 'live'
  watch.tell()
  watch.tell()
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatchObject({ type: 'watch', set: { diagrams: ['puts'], rangeS: 120 } })

  answer = { type: 'problem', problem: { code: 'x', sentence: '', next: '', detail: '', member: null, log: [] } }
  watch.rangeS = 300
  watch.tell()
  await Promise.resolve()
  await Promise.resolve()
  watch.tell()
  expect(sent).toHaveLength(3)
})
