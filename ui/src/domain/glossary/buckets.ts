/** A histogram's buckets in words. Pure. */
import { format } from '$shared/format/format'

/** Prometheus' base units, and those that etcd uses beside them, as formats know them. */
const UNITS: Readonly<Record<string, string>> = {
  s: 's',
  seconds: 's',
  ms: 'ms',
  milliseconds: 'ms',
  B: 'decbytes',
  bytes: 'decbytes',
}

export const bucketText = (bound: number, unit: string): string => format(bound, UNITS[unit] ?? 'none')

/** How many there are and what they span; empty where there are none. */
export function bucketSpan(buckets: readonly number[], unit: string): string {
  const [first, last] = [buckets[0], buckets.at(-1)]
  if (first === undefined || last === undefined) return ''
  return `${buckets.length}, from ${bucketText(first, unit)} to ${bucketText(last, unit)}`
}
