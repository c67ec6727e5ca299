import '$shared/theme/tokens.css'
import '$shared/theme/base.css'

import { mount } from 'svelte'

import { tauriHost } from '$shared/host/tauri'

import App from './App.svelte'

const target = document.getElementById('app')
if (target) mount(App, { target, props: { host: tauriHost } })
