/**
 * Reads Markdown into a tree of the few elements a text needs. HTML in it is a text like any other: nothing of it gets
 * into the page. Pure.
 */
import MarkdownIt from 'markdown-it'

/** Elements that a text may consist of. */
export type Tag =
  | 'p'
  | 'h2'
  | 'h3'
  | 'ul'
  | 'ol'
  | 'li'
  | 'strong'
  | 'em'
  | 'blockquote'
  | 'table'
  | 'thead'
  | 'tbody'
  | 'tr'
  | 'th'
  | 'td'

export type Mark =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'block'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'link'; readonly href: string; readonly children: Mark[] }
  | { readonly kind: 'element'; readonly tag: Tag; readonly children: Mark[] }

const TAGS: Readonly<Record<string, Tag>> = {
  p: 'p',
  h1: 'h2',
  h2: 'h2',
  h3: 'h3',
  h4: 'h3',
  ul: 'ul',
  ol: 'ol',
  li: 'li',
  strong: 'strong',
  em: 'em',
  blockquote: 'blockquote',
  table: 'table',
  thead: 'thead',
  tbody: 'tbody',
  tr: 'tr',
  th: 'th',
  td: 'td',
}

const reader = new MarkdownIt({ html: false, linkify: false, typographer: false })
type Token = ReturnType<typeof reader.parse>[number]

export function readMarkdown(text: string): Mark[] {
  return nest(reader.parse(text, {}))
}

/** Turns a run of opening and closing tokens into a tree. */
function nest(tokens: readonly Token[]): Mark[] {
  const root: Mark[] = []
  const open: Mark[][] = [root]
  for (const token of tokens) {
    const here = open.at(-1) ?? root
    if (token.nesting < 0) {
      open.pop()
    } else if (token.nesting > 0) {
      const children: Mark[] = []
      const mark = opening(token, children)
      // What isn't known is left out, its content stays. A tight list's paragraphs are such.
      if (mark) here.push(mark)
      open.push(mark ? children : here)
    } else if (token.type === 'inline') {
      here.push(...nest(token.children ?? []))
    } else {
      const mark = single(token)
      if (mark) here.push(mark)
    }
  }
  return root
}

function opening(token: Token, children: Mark[]): Mark | null {
  if (token.type === 'link_open') return { kind: 'link', href: String(token.attrGet('href') ?? ''), children }
  const tag = token.hidden ? undefined : TAGS[token.tag]
  return tag ? { kind: 'element', tag, children } : null
}

function single(token: Token): Mark | null {
  switch (token.type) {
    case 'text':
    case 'text_special':
      return token.content ? { kind: 'text', text: token.content } : null
    case 'code_inline':
      return { kind: 'code', text: token.content }
    case 'fence':
    case 'code_block':
      return { kind: 'block', text: token.content.trimEnd() }
    case 'softbreak':
      return { kind: 'text', text: ' ' }
    case 'hardbreak':
      return { kind: 'break' }
    default:
      return null
  }
}

/** A link's scheme and what it names: `term:fsync` is `term` and `fsync`. */
export function linkOf(href: string): { readonly scheme: string; readonly rest: string } {
  const mark = href.indexOf(':')
  return mark < 0 ? { scheme: '', rest: href } : { scheme: href.slice(0, mark), rest: href.slice(mark + 1) }
}
