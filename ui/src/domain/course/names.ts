/** Finds members' names in a text, so that they can be shown in their colours. Pure. */

export interface Piece {
  readonly text: string
  /** The member that this piece names. */
  readonly member: string | null
}

/** Longer names first: `etcd-10` isn't `etcd-1` and a nought. */
export function piecesOf(text: string, members: readonly string[]): Piece[] {
  if (members.length === 0) return text ? [{ text, member: null }] : []
  const names = [...members].sort((a, b) => b.length - a.length).map(escaped)
  const known = new Set(members)
  return text
    .split(new RegExp(`(?<![\\w-])(${names.join('|')})(?![\\w-])`))
    .filter((piece) => piece !== '')
    .map((piece) => ({ text: piece, member: known.has(piece) ? piece : null }))
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A few words as a sentence begins; a name or a figure stays as it is. */
export const begun = (text: string): string =>
  /^[a-z]+\s/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
