/**
 * The window in a browser, over a made-up lab: for looking at screens while they are built. `?state=` chooses what
 * the lab is doing; see `fake/world.ts`. Never part of the product.
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
