import { expect, it } from 'vitest'

import { linkOf, type Mark, readMarkdown } from './markdown'

/** The tree as one line. */
function told(marks: readonly Mark[]): string {
  return marks
    .map((mark) => {
      switch (mark.kind) {
        case 'text':
          return mark.text
        case 'code':
          return `<code ${mark.text}>`
        case 'block':
          return `<block ${mark.text}>`
        case 'break':
          return '<br>'
        case 'link':
          return `<a ${mark.href}: ${told(mark.children)}>`
        case 'element':
          return `<${mark.tag} ${told(mark.children)}>`
      }
    })
    .join('')
}

it.each([
  ['A *put* waits\nfor `fsync`.', '<p A <em put> waits for <code fsync>.>'],
  ['[fsync](term:fsync), [7](arrow:7)', '<p <a term:fsync: fsync>, <a arrow:7: 7>>'],
  ['- one\n- **two**', '<ul <li one><li <strong two>>>'],
  ['- one\n\n- two', '<ul <li <p one>><li <p two>>>'],
  ['```\netcdctl put a b\n```', '<block etcdctl put a b>'],
  ['# Large', '<h2 Large>'],
  ['a | b\n--|--\n1 | 2', '<table <thead <tr <th a><th b>>><tbody <tr <td 1><td 2>>>>'],
])('%j is read', (text, wanted) => expect(told(readMarkdown(text))).toBe(wanted))

it('leaves HTML a text, and takes no address that runs', () => {
  expect(told(readMarkdown('<b onclick="x()">bold</b>'))).toBe('<p <b onclick="x()">bold</b>>')
  expect(told(readMarkdown('[x](javascript:alert(1))'))).toBe('<p [x](javascript:alert(1))>')
})

it('tells a scheme from what it names', () => {
  expect(linkOf('term:fsync')).toEqual({ scheme: 'term', rest: 'fsync' })
  expect(linkOf('https://etcd.io/')).toEqual({ scheme: 'https', rest: '//etcd.io/' })
  expect(linkOf('here')).toEqual({ scheme: '', rest: 'here' })
})
