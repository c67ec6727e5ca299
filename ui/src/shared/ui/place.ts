/** Puts a floating element beside the one it belongs to, inside the window. */

const GAP = 6
const EDGE = 8

export function placeNear(anchor: Element, floating: HTMLElement, align: 'start' | 'end'): void {
  const at = anchor.getBoundingClientRect()
  const { width, height } = floating.getBoundingClientRect()
  const left = align === 'start' ? at.left : at.right - width
  const below = at.bottom + GAP
  const above = at.top - GAP - height
  const lowest = innerHeight - EDGE - height
  // Where neither side has room for all of it, it covers as little of what it belongs to as can be.
  const top = below <= lowest ? below : above >= EDGE ? above : lowest
  floating.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`
  floating.style.top = `${Math.max(EDGE, top)}px`
}
