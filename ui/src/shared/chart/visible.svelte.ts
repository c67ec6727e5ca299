/** Whether an element can be seen: in the window's view, in a window that isn't hidden. Nothing else is drawn. */

interface Visibility {
  readonly now: boolean
  readonly ever: boolean
}

let shown = $state(!document.hidden)
document.addEventListener('visibilitychange', () => (shown = !document.hidden))

/** To be called while a component is made. */
export function visibility(element: () => Element | undefined): Visibility {
  let inView = $state(false)
  let ever = $state(false)
  $effect(() => {
    const watched = element()
    if (!watched) return
    const observer = new IntersectionObserver(
      (entries) => {
        inView = entries.at(-1)?.isIntersecting ?? false
        if (inView) ever = true
      },
      { rootMargin: '80px' },
    )
    observer.observe(watched)
    return () => observer.disconnect()
  })
  return {
    get now() {
      return inView && shown
    },
    get ever() {
      return ever
    },
  }
}
