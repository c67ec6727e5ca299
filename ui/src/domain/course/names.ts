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
  const pieces: Piece[] = []
  let from = 0
  // What stands before a name is matched, not looked back at: WebKit can't before 2.40.
  for (const found of text.matchAll(new RegExp(`(^|[^\\w-])(${names.join('|')})(?![\\w-])`, 'g'))) {
    const [, before = '', name = ''] = found
    const at = found.index + before.length
    if (at > from) pieces.push({ text: text.slice(from, at), member: null })
    pieces.push({ text: name, member: name })
    from = at + name.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from), member: null })
  return pieces
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A few words as a sentence begins; a name or a figure stays as it is. */
export const begun = (text: string): string =>
  /^[a-z]+\s/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
