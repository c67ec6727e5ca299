/** Finds terms by what a person types. Pure. */
import type { TermView } from '$shared/api/lab'

/** Those whose name begins with it first, then those that contain it in their name or spellings, in a metric, in their text. */
export function findTerms(terms: readonly TermView[], wanted: string): TermView[] {
  const text = wanted.trim().toLowerCase()
  if (text === '') return [...terms]
  const has = (part: string) => part.toLowerCase().includes(text)
  const rank = ({ term, also, metrics, text: meaning }: TermView): number => {
    const names = [term, ...also]
    if (names.some((name) => name.toLowerCase().startsWith(text))) return 0
    if (names.some(has)) return 1
    if (metrics.some(({ name }) => has(name))) return 2
    return has(meaning) ? 3 : 4
  }
  return terms
    .map((term) => ({ term, rank: rank(term) }))
    .filter((each) => each.rank < 4)
    .sort((a, b) => a.rank - b.rank)
    .map((each) => each.term)
}

/** Terms that the metrics of some queries tell of, those first of which fewest metrics tell: they say most. */
export function termsOf(terms: readonly TermView[], queries: readonly string[]): TermView[] {
  const asked = (name: string) =>
    queries.some((query) => new RegExp(`\\b${name}(?:_bucket|_count|_sum)?\\b`).test(query))
  return terms
    .filter(({ metrics }) => metrics.some(({ name }) => asked(name)))
    .sort((a, b) => a.metrics.length - b.metrics.length)
}
