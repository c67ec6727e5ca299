/**
 * The numbers of a load as a person types them, and whether they can be read. Which loads can be carried out the lab
 * decides. Pure.
 */
import type { LoadSpec, Workload } from '$shared/api/lab'

export type LoadKind = Workload['kind']

export type FieldName =
  | 'clients'
  | 'conns'
  | 'total'
  | 'rate'
  | 'keySize'
  | 'valSize'
  | 'keySpaceSize'
  | 'compactIntervalS'
  | 'compactIndexDelta'
  | 'key'
  | 'rangeEnd'

export interface Fields {
  /** What was typed. */
  readonly text: Readonly<Record<FieldName, string>>
  readonly sequentialKeys: boolean
  readonly serializable: boolean
}

interface Rule {
  readonly label: string
  readonly kinds: readonly LoadKind[]
  /** What the lab calls it when it refuses a load for it. */
  readonly flag: string
  /** For a whole number, the largest that the lab's language has room for; which ones make sense the lab says. */
  readonly largest?: number
  /** May be left empty, and what that means. */
  readonly empty?: string
}

const U32 = 4_294_967_295
const U64 = Number.MAX_SAFE_INTEGER
const BOTH = ['put', 'range'] as const
const PUT = ['put'] as const
const RANGE = ['range'] as const

/** In the order of the form. */
export const RULES: Readonly<Record<FieldName, Rule>> = {
  clients: { label: 'Clients', kinds: BOTH, flag: '--clients', largest: U32 },
  conns: { label: 'Connections', kinds: BOTH, flag: '--conns', largest: U32 },
  total: { label: 'Requests in all', kinds: BOTH, flag: '--total', largest: U64 },
  rate: { label: 'Requests a second', kinds: BOTH, flag: '--rate', largest: U32, empty: 'As fast as possible' },
  keySize: { label: 'Key size, bytes', kinds: PUT, flag: '--key-size', largest: U32 },
  valSize: { label: 'Value size, bytes', kinds: PUT, flag: '--val-size', largest: U32 },
  keySpaceSize: { label: 'Different keys', kinds: PUT, flag: '--key-space-size', largest: U64 },
  compactIntervalS: {
    label: 'Compact every, seconds',
    kinds: PUT,
    flag: '--compact-interval',
    largest: U32,
    empty: 'Never',
  },
  compactIndexDelta: { label: 'Revisions kept', kinds: PUT, flag: '--compact-index-delta', largest: U64 },
  key: { label: 'Key', kinds: RANGE, flag: 'KEY' },
  rangeEnd: { label: 'Range end', kinds: RANGE, flag: 'RANGE_END', empty: 'One key' },
}

export const fieldsOf = (kind: LoadKind): FieldName[] =>
  (Object.keys(RULES) as FieldName[]).filter((name) => RULES[name].kinds.includes(kind))

/** The numbers of the talk. */
export const DEFAULTS: Readonly<Record<LoadKind, Fields>> = {
  put: {
    text: {
      clients: '1,000',
      conns: '1,000',
      total: '100,000,000',
      rate: '',
      keySize: '8',
      valSize: '8',
      keySpaceSize: '100,000',
      compactIntervalS: '',
      compactIndexDelta: '1,000',
      key: '',
      rangeEnd: '',
    },
    sequentialKeys: true,
    serializable: false,
  },
  range: {
    text: {
      clients: '100',
      conns: '100',
      total: '100,000',
      rate: '',
      keySize: '8',
      valSize: '8',
      keySpaceSize: '1',
      compactIntervalS: '',
      compactIndexDelta: '1,000',
      key: '/',
      rangeEnd: '',
    },
    sequentialKeys: false,
    serializable: false,
  },
}

const plain = (text: string) => text.replace(/[\s,_]/g, '')

/** A whole number as typed, with or without separators; `null` for anything else. */
export function wholeNumber(text: string): number | null {
  const digits = plain(text)
  return /^\d{1,16}$/.test(digits) ? Number(digits) : null
}

/** Why a field can't be read, in words that name it; nothing when it can. */
export function wrongWith(name: FieldName, text: string): string | undefined {
  const { label, largest, empty } = RULES[name]
  if (text.trim() === '') return empty === undefined ? `${label}: fill this in` : undefined
  if (largest === undefined) return undefined
  const value = wholeNumber(text)
  if (value === null) return `${label}: a whole number`
  if (value > largest) return `${label}: at most ${largest.toLocaleString('en')}`
  return undefined
}

/** The field that the lab refuses a load for, and why, from its sentence `--clients: must be at least 1, not 0.` */
export function refusedField(kind: LoadKind, sentence: string): { name: FieldName; said: string } | undefined {
  const cut = sentence.indexOf(': ')
  const name = fieldsOf(kind).find((each) => RULES[each].flag === sentence.slice(0, cut))
  return name && { name, said: `${RULES[name].label}: ${sentence.slice(cut + 2).replace(/\.$/, '')}` }
}

/** The load that the fields say, or `null` while one of them can't be read. */
export function specOf(kind: LoadKind, fields: Fields): LoadSpec | null {
  if (fieldsOf(kind).some((name) => wrongWith(name, fields.text[name]) !== undefined)) return null
  const number = (name: FieldName) => wholeNumber(fields.text[name]) ?? 0
  const optional = (name: FieldName) => (fields.text[name].trim() === '' ? null : wholeNumber(fields.text[name]))
  const workload: Workload =
    kind === 'put'
      ? {
          kind,
          keySize: number('keySize'),
          valSize: number('valSize'),
          keySpaceSize: number('keySpaceSize'),
          sequentialKeys: fields.sequentialKeys,
          compactIntervalS: optional('compactIntervalS'),
          compactIndexDelta: number('compactIndexDelta'),
        }
      : {
          kind,
          key: fields.text.key,
          rangeEnd: fields.text.rangeEnd.trim() === '' ? null : fields.text.rangeEnd,
          serializable: fields.serializable,
        }
  return {
    workload,
    clients: number('clients'),
    conns: number('conns'),
    total: number('total'),
    rate: optional('rate'),
  }
}

/** What was typed, with thousands separated where it is a number. */
export function tidy(name: FieldName, text: string): string {
  const value = RULES[name].largest === undefined ? null : wholeNumber(text)
  return value === null ? text.trim() : value.toLocaleString('en')
}

/** A load in a few words: `1,000 clients, 1,000 connections`. */
export const brief = (spec: LoadSpec): string =>
  `${spec.clients.toLocaleString('en')} clients, ${spec.conns.toLocaleString('en')} connections`

/** All of a load in a line. */
export function summary(spec: LoadSpec): string {
  const n = (value: number) => value.toLocaleString('en')
  const { workload: w } = spec
  const what =
    w.kind === 'put'
      ? `${n(w.valSize)} B values, ${n(w.keySpaceSize)} keys`
      : `key ${w.key}${w.rangeEnd === null ? '' : ` to ${w.rangeEnd}`}, ${w.serializable ? 'serializable' : 'linearizable'}`
  return `${n(spec.clients)} clients on ${n(spec.conns)} connections, ${what}`
}
