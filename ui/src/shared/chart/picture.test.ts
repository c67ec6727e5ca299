import { afterEach, expect, it } from 'vitest'

import { pictureOf } from './picture'

afterEach(() => document.body.replaceChildren())

const drawn = (inside: string) => {
  document.body.innerHTML = `<div><svg width="200" height="100" class="s-1" role="img">${inside}</svg></div>`
  return document.querySelector('svg') as SVGSVGElement
}

it('stands alone: looks in place, nothing of the page left', () => {
  const svg = drawn(
    '<!-- made by the page --><g class="row" data-step="7" tabindex="-1" style="opacity: 0.5">' +
      '<path class="shaft" d="M0 0H9" style="fill: none; stroke: rgb(255, 0, 0); stroke-width: 2px" />' +
      '<text x="3" y="4" style="fill: rgb(1, 2, 3); font-weight: 600">sync</text></g>',
  )
  const text = pictureOf(svg, 'Put & sync')
  expect(text).toContain('xmlns="http://www.w3.org/2000/svg"')
  expect(text).toContain('<title>Put &amp; sync</title>')
  expect(text).toContain('d="M0 0H9"')
  expect(text).toContain('stroke="rgb(255, 0, 0)"')
  expect(text).toContain('font-weight="600"')
  expect(text).not.toMatch(/class=|data-|style=|tabindex|role=|<!--|var\(/)
})

it('leaves out what can’t be seen', () => {
  const svg = drawn('<rect width="9" height="9" style="fill: transparent; stroke: none" />')
  expect(pictureOf(svg, '').match(/<rect/g)).toHaveLength(1)
})

it('leaves the drawing on the screen as it is', () => {
  const svg = drawn('<path class="shaft" d="M0 0H9" style="stroke: rgb(255, 0, 0)" />')
  const before = document.body.innerHTML
  pictureOf(svg, 'Put')
  expect(document.body.innerHTML).toBe(before)
})
