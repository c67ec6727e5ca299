import { afterEach, expect, it, vi } from 'vitest'

import { copyText } from './clipboard'

const refuse = () => vi.stubGlobal('navigator', { clipboard: { writeText: () => Promise.reject(new Error('no')) } })

/** The page's own way of copying; notes where the text was selected. */
function legacy(works: boolean): Element[] {
  const homes: Element[] = []
  document.execCommand = () => {
    const home = document.querySelector('textarea')?.parentElement
    if (home) homes.push(home)
    return works
  }
  return homes
}

afterEach(() => {
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})

it('uses the clipboard where it may', async () => {
  const writeText = vi.fn(() => Promise.resolve())
  vi.stubGlobal('navigator', { clipboard: { writeText } })
  expect(await copyText('etcdctl get a')).toBe(true)
  expect(writeText).toHaveBeenCalledWith('etcdctl get a')
})

it('selects and copies where it may not, in the dialog that is open', async () => {
  refuse()
  const homes = legacy(true)
  expect(await copyText('a')).toBe(true)
  const dialog = document.createElement('dialog')
  dialog.setAttribute('open', '')
  document.body.append(dialog)
  expect(await copyText('a')).toBe(true)
  expect(homes).toEqual([document.body, dialog])
  expect(document.querySelector('textarea')).toBeNull()
})

it('says when neither worked', async () => {
  refuse()
  legacy(false)
  expect(await copyText('a')).toBe(false)
})
