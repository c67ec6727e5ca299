/** Takes a sentence apart at its backticks, between which code stands. Pure. */

export interface Part {
  readonly text: string
  readonly code: boolean
}

/** A backtick without its fellow is a letter like any other. */
export function partsOf(sentence: string): Part[] {
  const parts = sentence.split(/`([^`]+)`/)
  return parts.map((text, at) => ({ text, code: at % 2 === 1 })).filter((part) => part.text !== '')
}
