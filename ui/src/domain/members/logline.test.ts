import { expect, it } from 'vitest'

import { parseLogLine } from './logline'

it('takes a line of etcd apart', () => {
  const line =
    '{"level":"warn","ts":"2026-11-23T01:02:03.456Z","caller":"etcdserver/util.go:170","msg":"apply request took too long","took":"112ms","n":2}'
  expect(parseLogLine(line)).toEqual({
    level: 'warn',
    time: '01:02:03.456',
    message: 'apply request took too long',
    rest: 'took=112ms n=2',
  })
})

it.each(['panic: send on closed channel', '42', '{"half":'])('leaves %j as it is', (text) => {
  expect(parseLogLine(text)).toEqual({ level: 'other', time: '', message: text, rest: '' })
})
