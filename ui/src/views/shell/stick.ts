/** Keeps a scrolling box at its end when it was there; leaves it alone when the person has scrolled up. */

const NEAR_PX = 60

/** To be called when the content has grown to `size`, lines or the like; nothing is done while there are none. */
export function stickToEnd(box: HTMLElement | null, size: number): void {
  if (!box || size === 0) return
  const first = box.dataset.stuck === undefined
  box.dataset.stuck = ''
  const grownBy = box.lastElementChild?.lastElementChild?.getBoundingClientRect().height ?? 0
  const below = box.scrollHeight - box.clientHeight - box.scrollTop
  if (first || below <= NEAR_PX + grownBy) box.scrollTop = box.scrollHeight
}
