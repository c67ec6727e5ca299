/** How far the person got: steps counted, which scenario and which step come next. Pure. */
import type { ScenarioView, StepSummary } from '$shared/api/lab'

export interface Progress {
  readonly met: number
  readonly all: number
}

export const isMet = (step: StepSummary): boolean => step.record?.met ?? false

export function progressOf(steps: readonly StepSummary[]): Progress {
  return { met: steps.filter(isMet).length, all: steps.length }
}

/** The share that is drawn as a ring, 0 to 1. */
export const shareOf = ({ met, all }: Progress): number => (all === 0 ? 0 : met / all)

/** Whether nothing was tried yet. */
export const untouched = (steps: readonly StepSummary[]): boolean => steps.every((step) => step.record === null)

/** Whether there are scenarios, and the person has tried none of them. */
export const isNew = (scenarios: readonly ScenarioView[]): boolean =>
  scenarios.length > 0 && scenarios.every(({ steps }) => untouched(steps))

/** Where to go on: the first step that isn't met; the first one when all are. */
export function resumeAt(steps: readonly StepSummary[]): StepSummary | undefined {
  return steps.find((step) => !isMet(step)) ?? steps[0]
}

/** What to begin with, or go on with: the first scenario with a step that isn't met. */
export function nextScenario(scenarios: readonly ScenarioView[]): ScenarioView | undefined {
  return scenarios.find(({ steps }) => steps.some((step) => !isMet(step)))
}

/** The scenario after this one, in their order. */
export function scenarioAfter(scenarios: readonly ScenarioView[], id: string): ScenarioView | undefined {
  const at = scenarios.findIndex((each) => each.id === id)
  return at < 0 ? undefined : scenarios[at + 1]
}

/** Predictions that were right, of those that were made. */
export function predictionsOf(steps: readonly StepSummary[]): { readonly right: number; readonly made: number } {
  const verdicts = steps.map((step) => step.record?.right ?? null).filter((right) => right !== null)
  return { right: verdicts.filter(Boolean).length, made: verdicts.length }
}
