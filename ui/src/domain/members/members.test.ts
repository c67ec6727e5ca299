import { expect, it } from 'vitest'

import { asOfS, possible } from './members'

it.each([
  ['healthy', 100_000, 101_000, 0],
  ['healthy', 100_000, 103_000, 0],
  ['healthy', 100_000, 103_900, 3],
  ['healthy', 100_000, 99_000, 0],
  ['exited', 100_000, 100_200, 1],
  ['unreachable', 100_000, 112_300, 12],
  ['paused', 100_000, 101_900, 1],
  ['starting', 0, 100_000, 0],
  ['exited', 0, 100_000, 0],
] as const)('a member that is %s, answered at %s, has at %s figures as of %s s ago', (state, answeredMs, nowMs, s) => {
  expect(asOfS({ state, answeredMs }, nowMs)).toBe(s)
})

it.each([
  ['healthy', ['pause', 'stop', 'kill']],
  ['unreachable', ['pause', 'stop', 'kill']],
  ['paused', ['resume', 'kill']],
  ['exited', []],
] as const)('to a member that is %s can be done: %s', (state, actions) => expect(possible(state)).toEqual(actions))
