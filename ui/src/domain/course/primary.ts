/** What to do next in a step: the one primary button, and the keys that press what is on the screen. Pure. */
import type { Guess, StepView } from '$shared/api/lab'

import { isDockers } from '$domain/docker/images'

/** Where a cluster wants a port that is taken. */
const PORT_TAKEN = 'port-taken'

export type Primary = 'predict' | 'do' | 'next' | 'finish' | 'restart' | 'freePorts' | 'natively'

/** `null` while the lab works, or where it is on the person to find what to do. */
export function primaryOf(step: StepView, steps: number): Primary | null {
  switch (step.phase.name) {
    case 'setting':
    case 'watching':
      return null
    case 'predict':
      return 'predict'
    case 'act':
      return step.toBeFound ? null : 'do'
    case 'met':
      return step.number < steps ? 'next' : 'finish'
    case 'missed':
      return 'restart'
    case 'broken':
      if (step.phase.problem.code === PORT_TAKEN) return 'freePorts'
      return isDockers(step.phase.problem) ? 'natively' : 'restart'
  }
}

/** What a key asks for. */
export type Pressed =
  { readonly do: 'primary' | 'next' | 'hint' | 'pass' | 'restart' } | { readonly do: 'choose'; readonly choice: number }

/**
 * What a key means in a step: digits choose an answer, Enter is the primary button, N goes on, H hints, P passes, R
 * restarts. Nothing where it would have no effect.
 */
export function pressed(key: string, step: StepView): Pressed | null {
  const { name } = step.phase
  const predicting = name === 'predict'
  const digit = /^[1-9]$/.test(key) ? Number(key) : 0
  if (digit > 0) {
    const choices = step.prediction?.choices.length ?? 0
    return predicting && digit <= choices ? { do: 'choose', choice: digit - 1 } : null
  }
  switch (key.toLowerCase()) {
    case 'enter':
      return { do: 'primary' }
    case 'n':
      return name === 'met' ? { do: 'next' } : null
    case 'p':
      return predicting ? { do: 'pass' } : null
    case 'h':
      return canHint(step) ? { do: 'hint' } : null
    case 'r':
      return name === 'missed' || name === 'broken' ? { do: 'restart' } : null
    default:
      return null
  }
}

/** Whether a hint can be asked for. */
export function canHint(step: StepView): boolean {
  return step.hasHint && step.hint === null && ['act', 'watching', 'missed'].includes(step.phase.name)
}

/** Whether the lab can be asked to do what the person was to find. */
export function canSolve(step: StepView): boolean {
  return step.toBeFound && !step.solved && ['act', 'missed'].includes(step.phase.name)
}

/** What the person said, in the words of the question; `null` where they passed or said nothing. */
export function guessText(guess: Guess | null, choices: readonly string[], level: (value: number) => string) {
  if (guess?.kind === 'choice') return choices[guess.choice] ?? null
  return guess?.kind === 'level' ? level(guess.level) : null
}
