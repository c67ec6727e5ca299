import { flushSync, mount, unmount } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'

import Field from './Field.svelte'
import Menu from './Menu.svelte'
import Segmented from './Segmented.svelte'

let mounted: object[] = []
afterEach(async () => {
  for (const each of mounted) await unmount(each)
  mounted = []
})

/** Remembers what was mounted, to be taken away after the test. */
function shown(component: object): HTMLElement {
  mounted.push(component)
  flushSync()
  return document.body
}

const target = document.body

describe('a field', () => {
  it('names what is wrong to a screen reader too', () => {
    const body = shown(
      mount(Field, {
        target,
        props: { label: 'Clients', value: '0', oninput: () => undefined, wrong: 'Clients: at least 1' },
      }),
    )
    const input = body.querySelector('input')
    expect(input?.getAttribute('aria-invalid')).toBe('true')
    const note = input?.getAttribute('aria-describedby') ?? ''
    expect(document.getElementById(note)?.textContent).toBe('Clients: at least 1')
    expect(body.querySelector('label')?.getAttribute('for')).toBe(input?.id)
  })
})

describe('a choice', () => {
  it('is a radio group that tells what was chosen', () => {
    const onchange = vi.fn()
    const options = [
      { value: 120, text: '2 min' },
      { value: 300, text: '5 min' },
    ]
    const body = shown(mount(Segmented, { target, props: { label: 'Range', options, value: 120, onchange } }))
    const [first, second] = body.querySelectorAll('input')
    expect(first?.checked).toBe(true)
    second?.click()
    expect(onchange).toHaveBeenCalledWith(300)
  })
})

describe('a menu', () => {
  it('opens on its first item, walks with the arrow keys and closes on Escape', async () => {
    const run = vi.fn()
    const body = shown(
      mount(Menu, {
        target,
        props: {
          label: 'More',
          items: [
            { label: 'One', icon: 'log' as const, run },
            { label: 'Two', icon: 'log' as const, run, disabled: true },
            { label: 'Three', icon: 'log' as const, run },
          ],
        },
      }),
    )
    const opener = body.querySelector<HTMLButtonElement>('[aria-haspopup=menu]')
    opener?.click()
    await vi.waitFor(() => expect(document.activeElement?.textContent).toContain('One'))
    const press = (key: string) =>
      document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    press('ArrowDown')
    expect(document.activeElement?.textContent).toContain('Three')
    press('Escape')
    flushSync()
    expect(body.querySelector('[role=menu]')).toBeNull()
    expect(document.activeElement).toBe(opener)
  })
})
