/** Rows of dashboards that are folded, for as long as the window is open. */
import { SvelteSet } from 'svelte/reactivity'

const rows = new SvelteSet<string>()

export const folded = {
  has: (key: string): boolean => rows.has(key),
  toggle(key: string): void {
    if (!rows.delete(key)) rows.add(key)
  },
}
