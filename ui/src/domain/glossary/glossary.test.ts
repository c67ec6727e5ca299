import { describe, expect, it, vi } from 'vitest'

import type { Command, Reply, TermView } from '$shared/api/lab'
import type { Session } from '$domain/session/session.svelte'

import { bucketSpan } from './buckets'
import { findTerms, termsOf } from './find'
import { Glossary } from './glossary.svelte'

const term = (id: string, also: string[] = [], text = '', metrics: string[] = []): TermView => ({
  id,
  term: id,
  also,
  text,
  metrics: metrics.map((name) => ({ name, exposed: null, kind: '', help: '', unit: '', buckets: [] })),
  links: [],
})

const TERMS = [
  term('Compaction', ['compact'], 'forgets old versions'),
  term('fsync', ['fdatasync'], 'onto the disk', ['etcd_disk_wal_fsync_duration_seconds']),
  term('Revision', [], 'a version of the key space; a compaction has one'),
]

it.each([
  ['', ['Compaction', 'fsync', 'Revision']],
  ['compact', ['Compaction', 'Revision']],
  ['DATA', ['fsync']],
  ['wal_fsync', ['fsync']],
  ['version', ['Compaction', 'Revision']],
  ['zzz', []],
])('finds, for %j, %j', (wanted, expected) => expect(findTerms(TERMS, wanted).map(({ id }) => id)).toEqual(expected))

it.each([
  ['rate(etcd_disk_wal_fsync_duration_seconds_bucket[15s])', ['fsync', 'WAL']],
  ['etcd_disk_wal_write_bytes_total', ['WAL']],
  ['etcd_disk_wal_fsync_duration_seconds_and_more', []],
])('finds in the query %s the terms %j', (query, expected) => {
  const wal = term('WAL', [], '', ['etcd_disk_wal_fsync_duration_seconds', 'etcd_disk_wal_write_bytes_total'])
  expect(termsOf([wal, ...TERMS], [query]).map(({ id }) => id)).toEqual(expected)
})

describe('the glossary', () => {
  it('keeps the last answer, whatever order answers come in', async () => {
    const answers: ((reply: Reply) => void)[] = []
    const send = vi.fn((command: Command) => {
      void command
      return new Promise<Reply>((answer) => answers.push(answer))
    })
    const glossary = new Glossary({ send } as unknown as Session)
    const both = [glossary.read(), glossary.read()]
    const references = [{ text: 'etcd', url: 'https://etcd.io' }]
    answers[1]?.({ type: 'glossary', terms: TERMS, references })
    answers[0]?.({ type: 'glossary', terms: [], references: [] })
    await Promise.all(both)
    expect(glossary.terms).toHaveLength(3)
    expect(glossary.references).toEqual(references)
    expect(glossary.term('fsync')?.also).toEqual(['fdatasync'])
  })
})

it.each([
  [[], 's', ''],
  [[0.001, 0.002, 8.192], 's', '3, from 1 ms to 8.2 s'],
  [[100, 12800], 'ms', '2, from 100 ms to 13 s'],
  [[1, 1024], 'furlongs', '2, from 1 to 1,024'],
])('says of the buckets %j in %s: %s', (buckets, unit, text) => expect(bucketSpan(buckets, unit)).toBe(text))
