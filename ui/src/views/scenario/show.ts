/** Points at the control that does something by hand: opens what hides it, scrolls to it, and lets it flash. */
import { tick } from 'svelte'

import type { Control } from '$shared/api/lab'

const FLASH_MS = 1800

export async function showControl(control: Control, reveal: (control: Control) => void): Promise<void> {
  reveal(control)
  await tick()
  const found = [...document.querySelectorAll<HTMLElement>(`[data-control="${control}"]`)]
  const shown = found.find((each) => each.offsetParent !== null)
  if (!shown) return
  shown.scrollIntoView({ block: 'nearest' })
  shown.classList.add('flash')
  setTimeout(() => shown.classList.remove('flash'), FLASH_MS)
  shown.querySelector<HTMLElement>('button:not(:disabled), input, select')?.focus()
}
