/**
 * Which theme and which size the window is drawn in: the person's choice, kept on this machine, else the
 * system's. `?theme=` and `?density=` in the address or in the route win, so that a picture can ask for one.
 */

export type Theme = 'dark' | 'light'
export type Density = 'desk' | 'presenter'

const THEME_KEY = 'etcd-lab.theme'
const DENSITY_KEY = 'etcd-lab.density'

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // Storage may be denied; the choice then lasts as long as the window.
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // See `kept`.
  }
}

function asked(name: string): string | null {
  const hash = location.hash.indexOf('?')
  const inHash = hash < 0 ? null : new URLSearchParams(location.hash.slice(hash)).get(name)
  return inHash ?? new URLSearchParams(location.search).get(name)
}

const isTheme = (text: string | null): text is Theme => text === 'dark' || text === 'light'
const isDensity = (text: string | null): text is Density => text === 'desk' || text === 'presenter'

class Look {
  theme = $state<Theme>('dark')
  density = $state<Density>('desk')
  /** Counts changes of either: charts, which read colours and sizes by hand, redraw when it moves. */
  version = $state(0)

  /** Reads the choices and follows the system's until the person makes one. */
  start(): void {
    const system = matchMedia('(prefers-color-scheme: light)')
    const choose = () => {
      const chosen = [asked('theme'), kept(THEME_KEY)].find(isTheme)
      this.#apply(chosen ?? (system.matches ? 'light' : 'dark'), [asked('density'), kept(DENSITY_KEY)].find(isDensity))
    }
    choose()
    system.addEventListener('change', choose)
    addEventListener('hashchange', choose)
    // A test or a picture may set the attributes themselves.
    new MutationObserver(() => {
      const { theme, density } = document.documentElement.dataset
      if (isTheme(theme ?? null) && theme !== this.theme) this.theme = theme as Theme
      if (isDensity(density ?? null) && density !== this.density) this.density = density as Density
      this.version += 1
    }).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'data-density'] })
    document.fonts?.ready.then(() => (this.version += 1))
  }

  toggleTheme(): void {
    const next = this.theme === 'dark' ? 'light' : 'dark'
    keep(THEME_KEY, next)
    this.#apply(next, this.density)
  }

  toggleDensity(): void {
    const next = this.density === 'desk' ? 'presenter' : 'desk'
    keep(DENSITY_KEY, next)
    this.#apply(this.theme, next)
  }

  #apply(theme: Theme, density: Density = 'desk'): void {
    this.theme = theme
    this.density = density
    document.documentElement.dataset.theme = theme
    document.documentElement.dataset.density = density
  }
}

export const look = new Look()
