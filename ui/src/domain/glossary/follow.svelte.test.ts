import { flushSync } from 'svelte'
import { expect, it } from 'vitest'

import type { ClusterView, Command, Reply } from '$shared/api/lab'
import { Session } from '$domain/session/session.svelte'

import { Glossary } from './glossary.svelte'

it('reads the terms anew when other members run, not each time the cluster is told of', () => {
  const sent: Command[] = []
  const send = async (command: Command): Promise<Reply> => {
    sent.push(command)
    return { type: 'glossary', terms: [], references: [] }
  }
  const session = new Session({ send, subscribe: async () => undefined, open: async () => false })
  const cluster = (etcdVersion: string) => ({ etcdVersion, members: [] }) as unknown as ClusterView
  session.link = 'live'
  session.phase = { name: 'running', sinceMs: 0 }
  session.cluster = cluster('3.5.9')
  const glossary = new Glossary(session)
  const end = $effect.root(() => {
    $effect(() => glossary.follow())
  })
  flushSync()
  session.cluster = cluster('3.5.9')
  flushSync()
  expect(sent).toHaveLength(1)
  session.cluster = cluster('3.7.3')
  flushSync()
  expect(sent).toHaveLength(2)
  end()
})
