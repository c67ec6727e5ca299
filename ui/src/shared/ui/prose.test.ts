import { expect, it } from 'vitest'

import { partsOf } from './prose'

it.each([
  ['Nothing special.', [['Nothing special.', false]]],
  [
    'Raise it (`ulimit -n`) first.',
    [
      ['Raise it (', false],
      ['ulimit -n', true],
      [') first.', false],
    ],
  ],
  [
    '`a``b`',
    [
      ['a', true],
      ['b', true],
    ],
  ],
  ['One ` alone', [['One ` alone', false]]],
  ['', []],
])('takes %j apart', (sentence, parts) => {
  expect(partsOf(sentence).map(({ text, code }) => [text, code])).toEqual(parts)
})
