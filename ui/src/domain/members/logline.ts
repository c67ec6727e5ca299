/** A line of etcd's log, taken apart for reading. etcd writes JSON; anything else is shown as it is. Pure. */

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'other'
  /** Time of day, as written. */
  readonly time: string
  readonly message: string
  /** The other fields, `name=value`. */
  readonly rest: string
}

const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  panic: 'error',
  fatal: 'error',
}

export function parseLogLine(text: string): LogLine {
  let fields: Record<string, unknown>
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) throw new TypeError('not an object')
    fields = parsed as Record<string, unknown>
  } catch {
    return { level: 'other', time: '', message: text, rest: '' }
  }
  const { level, ts, msg, ...others } = fields
  return {
    level: LEVELS[String(level)] ?? 'other',
    time: /T([\d:.]{8,12})/.exec(String(ts))?.[1]?.slice(0, 12) ?? '',
    message: String(msg ?? ''),
    rest: Object.entries(others)
      .filter(([name]) => name !== 'caller')
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
  }
}
