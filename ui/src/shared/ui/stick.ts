/** Keeps a scrolling box at its end when it was there; leaves it alone when the person has scrolled up. */

const NEAR_PX = 60

/** Where each box's end was when it was last looked at. */
const ends = new WeakMap<HTMLElement, number>()

/** To be called when the content has changed; nothing is done while there is none. */
export function stickToEnd(box: HTMLElement | null, content: readonly unknown[]): void {
  if (!box || content.length === 0) return
  const end = ends.get(box)
  if (end === undefined || box.scrollTop + box.clientHeight >= end - NEAR_PX) box.scrollTop = box.scrollHeight
  ends.set(box, box.scrollHeight)
}
