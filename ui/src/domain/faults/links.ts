/** Links as a person reads them. Pure. */
import type { LinkShape, LinkView } from '$shared/api/lab'
import { format } from '$shared/format/format'

export const OPEN: LinkShape = { delayMs: 0, jitterMs: 0, bandwidthBytesS: null, cut: false }

export const isShaped = ({ delayMs, jitterMs, bandwidthBytesS, cut }: LinkShape): boolean =>
  cut || delayMs > 0 || jitterMs > 0 || bandwidthBytesS !== null

/** What is done to a link in few words: `+100 ms ±20 ms`, `≤ 1 MB/s`, `cut`; empty for one that is open. */
export function shortShape({ delayMs, jitterMs, bandwidthBytesS, cut }: LinkShape): string {
  if (cut) return 'cut'
  const parts: string[] = []
  if (delayMs > 0 || jitterMs > 0) parts.push(`+${format(delayMs, 'ms')}`)
  if (jitterMs > 0) parts.push(`±${format(jitterMs, 'ms')}`)
  if (bandwidthBytesS !== null) parts.push(`≤ ${format(bandwidthBytesS, 'Bps')}`)
  return parts.join(' ')
}

/** Links out of one member to which the same is done. */
export interface LinkGroup {
  readonly text: string
  readonly cut: boolean
  readonly links: readonly LinkView[]
}

/** The shaped links out of a member, those alike together, cut ones first. */
export function outOf(member: string, links: readonly LinkView[] | null): LinkGroup[] {
  const groups = new Map<string, LinkView[]>()
  for (const link of links ?? []) {
    if (link.from !== member || !isShaped(link.shape)) continue
    const text = shortShape(link.shape)
    groups.set(text, [...(groups.get(text) ?? []), link])
  }
  return [...groups]
    .map(([text, alike]) => ({ text, cut: alike[0]?.shape.cut ?? false, links: alike }))
    .sort((a, b) => Number(b.cut) - Number(a.cut))
}

/** Links from some members to some others; every member where none is named. */
export interface LinkChoice {
  readonly from: readonly string[]
  readonly to: readonly string[]
}

export const ALL_LINKS: LinkChoice = { from: [], to: [] }

export const isChosen = ({ from, to }: LinkChoice, sender: string, receiver: string): boolean =>
  (from.length === 0 || from.includes(sender)) && (to.length === 0 || to.includes(receiver))

/** A shape as typed; `wrong` names what can't be read of it. */
export interface TypedShape {
  readonly delay: string
  readonly jitter: string
  readonly bandwidth: string
  readonly cut: boolean
}

export const typedShape = (shape: LinkShape): TypedShape => ({
  delay: shape.delayMs > 0 ? String(shape.delayMs) : '',
  jitter: shape.jitterMs > 0 ? String(shape.jitterMs) : '',
  bandwidth: shape.bandwidthBytesS === null ? '' : String(shape.bandwidthBytesS / 1000),
  cut: shape.cut,
})

/** A whole number that fits the lab's language; `null` for anything else. */
export function whole(text: string, largest = 4_294_967_295): number | null {
  const digits = text.replace(/[\s,_]/g, '')
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : null
  return value !== null && value <= largest ? value : null
}

/** A thousand bytes a second and more, with a point if need be; `null` for anything else. */
const kilobytes = (text: string): number | null => {
  const plain = text.replace(/[\s,_]/g, '')
  const value = /^\d{1,9}(\.\d+)?$/.test(plain) ? Math.round(Number(plain) * 1000) : null
  return value !== null && value > 0 ? value : null
}

/** The fields that can't be read, and the shape when all can. */
export function readShape(typed: TypedShape): { shape: LinkShape | null; wrong: ReadonlySet<keyof TypedShape> } {
  const empty = (text: string) => text.trim() === ''
  const delayMs = empty(typed.delay) ? 0 : whole(typed.delay)
  const jitterMs = empty(typed.jitter) ? 0 : whole(typed.jitter)
  const bandwidthBytesS = empty(typed.bandwidth) ? null : kilobytes(typed.bandwidth)
  const wrong = new Set<keyof TypedShape>()
  if (delayMs === null) wrong.add('delay')
  if (jitterMs === null) wrong.add('jitter')
  if (bandwidthBytesS === null && !empty(typed.bandwidth)) wrong.add('bandwidth')
  return {
    wrong,
    shape:
      delayMs === null || jitterMs === null || wrong.size > 0
        ? null
        : { delayMs, jitterMs, bandwidthBytesS, cut: typed.cut },
  }
}
