/** What of the shell is open. */
import type { Control } from '$shared/api/lab'

export const DRAWER_TABS = ['faults', 'operations', 'commands', 'logs'] as const
export type DrawerTab = (typeof DRAWER_TABS)[number]

/** Where in the drawer a control is; the others stand on a screen. */
const TAB_OF: Partial<Record<Control, DrawerTab>> = { failpoints: 'faults', links: 'faults', operations: 'operations' }

/** Width of a window that has room for the rail's words. */
const RAIL_NEEDS_REM = 90
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
  readonly narrow: boolean = $derived.by(() => this.#chosen ?? this.#tight)
  #chosen = $state(keptRail())
  #tight = $state(false)
  drawer = $state<DrawerTab | null>(null)
  /** Member whose log the drawer shows. */
  logMember = $state<string | null>(null)

  toggleRail(): void {
    this.#chosen = !this.narrow
    try {
      localStorage.setItem(RAIL_KEY, this.narrow ? 'narrow' : 'wide')
    } catch {
      // Storage may be denied; the choice then lasts as long as the window.
    }
  }

  /** Looks whether there is room for the rail's words; until the person chooses, that decides. */
  measure(): void {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    this.#tight = innerWidth / rem < RAIL_NEEDS_REM
  }

  toggle(tab: DrawerTab): void {
    this.drawer = this.drawer === tab ? null : tab
  }

  /** Opens what hides a control, whose element bears its name as `data-control`. */
  reveal(control: Control): void {
    this.drawer = TAB_OF[control] ?? this.drawer
  }

  showLog(member: string): void {
    this.logMember = member
    this.drawer = 'logs'
  }
}

export const shell = new ShellState()
