/** The only module that knows Tauri. */
import { Channel, invoke } from '@tauri-apps/api/core'

import type { Command, Event, Reply } from '$shared/api/lab'

import { type Host, hostGone, type Page } from './host'

export const tauriHost: Host = {
  async send(command: Command): Promise<Reply> {
    try {
      return await invoke<Reply>('send', { command })
    } catch (cause) {
      return { type: 'problem', problem: hostGone(cause) }
    }
  },

  async subscribe(onEvent: (event: Event) => void): Promise<void> {
    const channel = new Channel<Event>()
    channel.onmessage = onEvent
    await invoke('subscribe', { channel })
  },

  async open(page: Page): Promise<boolean> {
    try {
      return await invoke<boolean>('open_page', { page })
    } catch {
      return false
    }
  },
}
