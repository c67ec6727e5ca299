import { describe, expect, it } from 'vitest'

import type { ClusterView, Command, FaultsView, Problem, Reply } from '$shared/api/lab'
import type { Session } from '$domain/session/session.svelte'

import { FaultControl } from './faults.svelte'
import { OPEN } from './links'

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'].map((name, index) => ({
  name,
  gofailUrl: `http://127.0.0.1:${11180 + index * 10_000}`,
}))
const problem = (code: string): Problem => ({ code, sentence: 'No.', next: '', detail: '', member: null, log: [] })

/** A control over three members, and what it sends; `refusing` is the code with which all is refused. */
function bench(faults: FaultsView = { failpoints: [], links: null }, refusing?: string) {
  const sent: Command[] = []
  const send = async (command: Command): Promise<Reply> => {
    sent.push(command)
    return refusing ? { type: 'problem', problem: problem(refusing) } : { type: 'done' }
  }
  const session = { cluster: { members: MEMBERS } as unknown as ClusterView, faults, send, act: send }
  return { control: new FaultControl(session as unknown as Session), sent }
}

describe('setting a failpoint', () => {
  it('is done at all members, or at those chosen, none of which is all again', async () => {
    const { control, sent } = bench()
    expect(control.line).toBe("curl http://127.0.0.1:{11180,21180,31180}/walBeforeFdatasync -XPUT -d'sleep(100)'")
    control.toggle('etcd-2')
    expect(control.line).toBe("curl http://127.0.0.1:21180/walBeforeFdatasync -XPUT -d'sleep(100)'")
    control.forS = '30'
    await control.setFailpoint()
    expect(sent).toEqual([
      { type: 'setFailpoint', members: ['etcd-2'], failpoint: 'walBeforeFdatasync', term: 'sleep(100)', forS: 30 },
    ])
    control.toggle('etcd-1')
    control.toggle('etcd-3')
    expect(control.members).toEqual([])
  })

  it('waits for a duration that can be read', async () => {
    const { control, sent } = bench()
    for (const text of ['soon', '0', '-1']) {
      control.forS = text
      expect(control.wrongDuration).toBe(true)
      await control.setFailpoint()
    }
    expect(sent).toEqual([])
  })

  it('says at the term what the lab has against it, and elsewhere what it has against anything else', async () => {
    const bad = bench(undefined, 'bad-term').control
    await bad.setFailpoint()
    expect(bad.wrongTerm).toBe('No.')
    const silent = bench(undefined, 'member-silent').control
    await silent.setFailpoint()
    expect(silent.wrongTerm).toBeUndefined()
    expect(silent.problem?.code).toBe('member-silent')
  })
})

const shaped = { failpoint: 'f', term: 'off', hits: null, member: 'etcd-1' }
const link = (from: string, to: string, delayMs: number) => ({
  from,
  to,
  shape: { ...OPEN, delayMs },
  rateBytesS: 0,
  heldMs: null,
  connections: 0,
})

describe('links', () => {
  it('of a member that is cut off are cut both ways', async () => {
    const { control, sent } = bench()
    await control.cutOff('etcd-3')
    const shape = { ...OPEN, cut: true }
    expect(sent).toEqual([
      { type: 'setLinks', from: ['etcd-3'], to: [], shape },
      { type: 'setLinks', from: [], to: ['etcd-3'], shape },
    ])
  })

  it('once chosen, show what is done to them, and are not changed by what can’t be read', async () => {
    const { control, sent } = bench({ failpoints: [], links: [link('etcd-1', 'etcd-2', 300)] })
    control.choose({ from: ['etcd-1'], to: [] })
    expect(control.typed.delay).toBe('300')
    control.type({ delay: 'much' })
    await control.setLinks()
    expect(sent).toEqual([])
    control.type({ delay: '1000' })
    await control.setLinks()
    expect(sent).toEqual([{ type: 'setLinks', from: ['etcd-1'], to: [], shape: { ...OPEN, delayMs: 1000 } }])
  })
})

describe('clearing all', () => {
  it.each([
    [{ failpoints: [shaped], links: [link('a', 'b', 100)] }, ['clearFailpoints', 'healLinks']],
    [{ failpoints: [shaped], links: [link('a', 'b', 0)] }, ['clearFailpoints']],
    [{ failpoints: [], links: [link('a', 'b', 100)] }, ['healLinks']],
    [{ failpoints: [], links: null }, []],
  ])('of %j takes %j', async (faults, commands) => {
    const { control, sent } = bench(faults)
    expect(control.any).toBe(commands.length > 0)
    await control.clearAll()
    expect(sent.map(({ type }) => type)).toEqual(commands)
  })
})
