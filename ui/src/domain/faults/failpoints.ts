/** Failpoints as a person reads them: which are of use, what a term does in a word. Pure. */
import type { FailpointView, MemberView } from '$shared/api/lab'
import { format } from '$shared/format/format'

interface Known {
  /** What waits where it is, in a word. */
  readonly place: string
  readonly about: string
}

/** Those that a lesson can be made of, the most useful first; every other is called by its name. */
const KNOWN: Readonly<Record<string, Known>> = {
  walBeforeFdatasync: {
    place: 'fsync',
    about: 'Inside each timed sync of the write-ahead log, so that etcd’s own fsync histogram sees it: a slow disk.',
  },
  defragBeforeCopy: {
    place: 'defrag',
    about: 'Before a defragmentation copies the database, while its lock is held: the member serves nothing meanwhile.',
  },
  walBeforeSync: {
    place: 'WAL sync',
    about:
      'Before a sync of the write-ahead log, outside the timed part: puts wait, the fsync histogram stays as it is.',
  },
  raftBeforeSave: { place: 'raft save', about: 'Before raft’s entries are written to the log.' },
  raftBeforeLeaderSend: { place: 'leader send', about: 'Before the leader sends to its followers.' },
  raftBeforeFollowerSend: { place: 'follower send', about: 'Before a follower sends to the leader.' },
  beforeApplyOneEntryNormal: { place: 'apply', about: 'Before a committed entry is applied to the key space.' },
  beforeCommit: { place: 'commit', about: 'Before the backend’s transaction is committed to its file.' },
  compactBeforeCommitBatch: { place: 'compaction', about: 'Before each batch of a compaction is committed.' },
}

/** What a failpoint is about; empty for one that isn't known. */
export const aboutFailpoint = (name: string): string => KNOWN[name]?.about ?? ''

/** A sentence with the places of failpoints in place of their names: `fsync sleep(100) on etcd-2`. */
export const withPlaces = (text: string): string =>
  text.replace(/\b[a-z]\w+\b/g, (name) => (Object.hasOwn(KNOWN, name) ? (KNOWN[name]?.place ?? name) : name))

/** The useful ones first, then the others by name. */
export function byUse(names: Iterable<string>): { useful: string[]; others: string[] } {
  const all = [...new Set(names)].sort((a, b) => a.localeCompare(b))
  const useful = Object.keys(KNOWN).filter((name) => all.includes(name))
  return { useful, others: all.filter((name) => !useful.includes(name)) }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
const SLEEP = /^(?:(?<share>[\d.]+)%|(?<times>\d+)\*)?sleep\((?:(?<ms>\d+)|"(?<long>[\d.]+)(?<unit>ms|s|m)")\)$/

/** A failpoint and its term in few words: `fsync +100 ms`; name and term where nothing shorter says as much. */
export function shortFault({ failpoint, term }: Pick<FailpointView, 'failpoint' | 'term'>): string {
  const place = KNOWN[failpoint]?.place
  const parts = SLEEP.exec(term)?.groups
  if (!place || !parts) return `${place ?? failpoint} ${term}`
  const ms = parts.ms === undefined ? Number(parts.long) * (UNIT_MS[parts.unit ?? 'ms'] ?? 1) : Number(parts.ms)
  const often = parts.share ? `, ${Number(parts.share)} %` : parts.times ? `, ${parts.times}×` : ''
  return `${place} +${format(ms, 'ms')}${often}`
}

/** The request that sets it, as a person would type it; one line for all members, since curl and shells spread braces. */
export function curlLine(members: readonly Pick<MemberView, 'gofailUrl'>[], failpoint: string, term: string): string {
  const hosts = members.map(({ gofailUrl }) => gofailUrl.replace(/\/$/, ''))
  const ports = hosts.map((host) => host.slice(host.lastIndexOf(':') + 1))
  const before = hosts.map((host) => host.slice(0, host.lastIndexOf(':') + 1))
  const oneHost = before.every((each) => each === before[0])
  const host = hosts.length === 1 ? hosts[0] : oneHost ? `${before[0]}{${ports.join(',')}}` : `{${hosts.join(',')}}`
  return `curl ${host ?? ''}/${failpoint} -XPUT -d'${term.replaceAll("'", String.raw`'\''`)}'`
}
