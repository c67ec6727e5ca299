/** What of a problem's next step can be typed. Pure. */
import { partsOf } from '$shared/ui/prose'

/** Commands that a next step names: code of more than one word; a mere flag or file is none. */
export const commandsIn = (next: string): string[] =>
  partsOf(next)
    .filter((part) => part.code && part.text.includes(' ') && !part.text.startsWith('-'))
    .map((part) => part.text)
