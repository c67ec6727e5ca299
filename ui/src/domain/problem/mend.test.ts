import { describe, expect, it } from 'vitest'

import { commandsIn } from './mend'

describe('the commands of a next step', () => {
  it.each([
    ['Start it with `sudo systemctl start docker`.', ['sudo systemctl start docker']],
    ['Start without Docker: `--runtime native`.', []],
    [
      'Remove `/tmp/file`, then run `docker system df` and `docker system prune`.',
      ['docker system df', 'docker system prune'],
    ],
    ['Correct DOCKER_HOST.', []],
  ])('%s', (next, commands) => expect(commandsIn(next)).toEqual(commands))
})
