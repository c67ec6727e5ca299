/** The screen that is shown, in the address after `#`: `#/lab`, `#/dashboards/<uid>?panel=3`. */

export interface Route {
  /** Parts of the path, such as `['dashboards', 'ac2a…']`. */
  readonly path: readonly string[]
  readonly query: ReadonlyMap<string, string>
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#\/?/, '')
  const mark = text.indexOf('?')
  const path = (mark < 0 ? text : text.slice(0, mark)).split('/').filter(Boolean).map(decodeURIComponent)
  return { path, query: new Map(new URLSearchParams(mark < 0 ? '' : text.slice(mark))) }
}
