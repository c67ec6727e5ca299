import { expect, it } from 'vitest'

import { parseRoute } from './parse'

it.each([
  ['', [], {}],
  ['#/lab', ['lab'], {}],
  ['#/dashboards/ac2a-57?panel=3', ['dashboards', 'ac2a-57'], { panel: '3' }],
  ['#/lab?theme=light&diagram=full', ['lab'], { theme: 'light', diagram: 'full' }],
])('reads %j', (hash, path, query) => {
  const route = parseRoute(hash)
  expect(route.path).toEqual(path)
  expect(Object.fromEntries(route.query)).toEqual(query)
})
