/** What of the shell is open. */

export type DrawerTab = 'commands' | 'logs' | 'operations'

const RAIL_KEY = 'etcd-lab.rail'

function keptRail(): boolean | null {
  try {
    const kept = localStorage.getItem(RAIL_KEY)
    return kept === null ? null : kept === 'narrow'
  } catch {
    return null
  }
}

class ShellState {
  /** The rail shows icons only. */
  narrow = $state(keptRail() ?? innerWidth < 1180)
  drawer = $state<DrawerTab | null>(null)
  /** Member whose log the drawer shows. */
  logMember = $state<string | null>(null)

  toggleRail(): void {
    this.narrow = !this.narrow
    try {
      localStorage.setItem(RAIL_KEY, this.narrow ? 'narrow' : 'wide')
    } catch {
      // Storage may be denied; the choice then lasts as long as the window.
    }
  }

  toggle(tab: DrawerTab): void {
    this.drawer = this.drawer === tab ? null : tab
  }

  showLog(member: string): void {
    this.logMember = member
    this.drawer = 'logs'
  }
}

export const shell = new ShellState()
