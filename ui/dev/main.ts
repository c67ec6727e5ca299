/**
 * The window in a browser, over a made-up lab: for looking at screens while they are built. `?state=` chooses what
 * the lab is doing; see `fake/world.ts`. `&press=` presses what bears that test id. Never part of the product.
 */
import '$shared/theme/tokens.css'
import '$shared/theme/base.css'

import { mount } from 'svelte'

import App from '../src/App.svelte'
import { FakeHost } from './fake/host'
import { isStory } from './fake/world'

const asked = new URLSearchParams(location.search).get('state') ?? 'put'
const target = document.getElementById('app')
if (target) mount(App, { target, props: { host: new FakeHost(isStory(asked) ? asked : 'put') } })

// What only a press opens: test ids, one after the other.
const presses = new URLSearchParams(location.search).getAll('press')
const timer = setInterval(() => {
  const [id] = presses
  const element = document.querySelector<HTMLElement>(`[data-testid="${id}"]`)
  if (element) {
    element.click()
    presses.shift()
  }
  if (presses.length === 0) clearInterval(timer)
}, 200)
