/** Which step a key leads to. Pure. */

/** From step `from` (none is chosen when `null`) of `count`; `null` when the key leads nowhere. */
export function stepAfter(key: string, from: number | null, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return Math.min(count, (from ?? 0) + 1)
    case 'ArrowUp':
    case 'k':
      return Math.max(1, (from ?? count + 1) - 1)
    case 'Home':
      return 1
    case 'End':
      return count
    default:
      return null
  }
}
