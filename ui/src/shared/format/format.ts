/**
 * Numbers with units, as a person wants to read them. Units are Grafana's ids, as dashboards name them.
 * `cases.json` is the table that says what comes out; knows nothing of what a number means.
 */

/** Stands where there is no number. */
export const NOTHING = '–'

interface Scale {
  /** Each with its size in the unit of the value, largest first. */
  readonly steps: readonly (readonly [size: number, suffix: string])[]
  /** Whether axes divide by powers of two. */
  readonly binary?: boolean
}

const K = 1000
const KI = 1024

const SECONDS: Scale = {
  steps: [
    [172_800, ' d'],
    [7_200, ' h'],
    [120, ' min'],
    [1, ' s'],
    [1e-3, ' ms'],
    [1e-6, ' µs'],
    [1e-9, ' ns'],
  ],
}
/** What one of a step's units is, where a step begins later than at one. */
const SECONDS_PER: Record<string, number> = { ' d': 86_400, ' h': 3_600, ' min': 60 }

const decimal = (suffix: string): Scale => ({
  steps: [
    [K ** 4, ` T${suffix}`],
    [K ** 3, ` G${suffix}`],
    [K ** 2, ` M${suffix}`],
    [K, ` k${suffix}`],
    [1, ` ${suffix}`],
  ],
})
const binary = (suffix: string): Scale => ({
  binary: true,
  steps: [
    [KI ** 4, ` Ti${suffix}`],
    [KI ** 3, ` Gi${suffix}`],
    [KI ** 2, ` Mi${suffix}`],
    [KI, ` Ki${suffix}`],
    [1, ` ${suffix}`],
  ],
})

const SCALES: Record<string, Scale> = {
  s: SECONDS,
  bytes: binary('B'),
  decbytes: decimal('B'),
  Bps: decimal('B/s'),
  binBps: binary('B/s'),
}

/** Suffix of the plain counts that get thousands separators instead of prefixes until they are long. */
const COUNTS: Record<string, string> = { short: '', none: '', ops: '/s', reqps: '/s', rps: '/s', wps: '/s', cps: '/s' }

const grouped: Intl.NumberFormat[] = []
function group(value: number, digits: number): string {
  const format = (grouped[digits] ??= new Intl.NumberFormat('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }))
  const text = format.format(value)
  return text.startsWith('-') && /^-[0.,]+$/.test(text) ? text.slice(1) : text.replace('-', '−')
}

const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-9 * Math.max(1, Math.abs(value))

/** Digits after the point for a value in its own unit: two significant ones, whole numbers as they are. */
function digitsFor(value: number): number {
  if (isWhole(value)) return 0
  const size = Math.abs(value)
  if (size >= 9.95) return 0
  if (size >= 0.0995) return 1
  return 2
}

const sizeOf = (scale: Scale, [from, suffix]: readonly [number, string]) =>
  scale === SECONDS ? (SECONDS_PER[suffix] ?? from) : from

function scaled(value: number, scale: Scale): string {
  const size = Math.abs(value)
  const last = scale.steps.length - 1
  let at = scale.steps.findIndex(([from]) => size >= from)
  if (at < 0) at = last
  // 999.7 ms reads "1 s", not "1,000 ms".
  const up = scale.steps[at - 1]
  const here = scale.steps[at] as readonly [number, string]
  if (up && Math.round(size / sizeOf(scale, here)) * sizeOf(scale, here) >= up[0] && up[0] === sizeOf(scale, up))
    at -= 1
  const step = scale.steps[at] as readonly [number, string]
  const inUnit = value / sizeOf(scale, step)
  return group(inUnit, digitsFor(inUnit)) + step[1]
}

function counted(value: number, unit: string, suffix: string): string {
  const size = Math.abs(value)
  if (unit !== 'none') {
    const long = unit === 'short' ? 1e7 : 1e5
    if (size >= long) {
      const [per, prefix] =
        size >= 1e12 ? [1e12, 'T'] : size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : [1e3, 'k']
      const inUnit = value / per
      return `${group(inUnit, Math.abs(inUnit) >= 99.5 || isWhole(inUnit) ? 0 : 1)} ${prefix}${suffix}`
    }
  }
  const digits = isWhole(value) || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return group(value, digits) + suffix
}

/** A value with its unit: `1.2 s`, `34 ms`, `16 MiB`, `1,204,331`, `4,507/s`; a dash for no value. */
export function format(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING
  if (unit === 'ms') return format(value / 1000, 's')
  if (unit === 'µs') return format(value / 1e6, 's')
  if (unit === 'percentunit') return format(value * 100, 'percent')
  if (unit === 'percent') return `${group(value, digitsFor(value))} %`
  const scale = SCALES[unit]
  if (scale) return value === 0 ? `0${scale.steps.at(unit === 's' ? 3 : -1)?.[1] ?? ''}` : scaled(value, scale)
  return counted(value, unit, COUNTS[unit] ?? '')
}

/** Whether a unit's axis divides best by powers of two. */
export const isBinary = (unit: string): boolean => SCALES[unit]?.binary === true

/**
 * Labels of an axis: all in the unit of the largest, with the digits that tell neighbours apart, and a bare 0.
 */
export function formatAxis(ticks: readonly number[], unit: string): string[] {
  if (unit === 'ms')
    return formatAxis(
      ticks.map((tick) => tick / 1000),
      's',
    )
  if (unit === 'percentunit')
    return formatAxis(
      ticks.map((tick) => tick * 100),
      'percent',
    )
  const largest = Math.max(...ticks.map(Math.abs), 0)
  const step = ticks.length > 1 ? Math.abs((ticks[1] as number) - (ticks[0] as number)) : largest
  let per = 1
  let suffix = unit === 'percent' ? ' %' : (COUNTS[unit] ?? '')
  const scale = SCALES[unit]
  if (scale) {
    const entry = scale.steps.find(([from]) => largest >= from) ?? (scale.steps.at(-1) as readonly [number, string])
    per = sizeOf(scale, entry)
    suffix = entry[1]
  } else if (largest >= 1e5) {
    const prefix = largest >= 1e9 ? 'G' : largest >= 1e6 ? 'M' : 'k'
    per = largest >= 1e9 ? 1e9 : largest >= 1e6 ? 1e6 : 1e3
    suffix = ` ${prefix}${suffix}`
  }
  const digits = stepDigits(step / per)
  return ticks.map((tick) => (tick === 0 ? '0' : group(tick / per, digits) + suffix))
}

/** Digits after the point that a step needs: 0.25 needs two, 50 none. */
function stepDigits(step: number): number {
  for (let digits = 0; digits < 4; digits += 1) if (isWhole(step * 10 ** digits)) return digits
  return 4
}

/** A duration for a clock that runs: `0:07`, `12:34`, `1:02:03`. */
export function formatElapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const h = Math.floor(whole / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const s = String(whole % 60).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}

/** A time that has passed, in its largest unit: `12 s`, `3 min`, `2 h`. */
export function formatAgo(seconds: number): string {
  const [size, suffix] = seconds < 120 ? [1, 's'] : seconds < 7200 ? [60, 'min'] : [3600, 'h']
  return `${Math.floor(seconds / size)} ${suffix}`
}

/** Time of day: `14:03:22`. */
export function formatTime(ms: number): string {
  const at = new Date(ms)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
