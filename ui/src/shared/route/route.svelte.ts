/** The route that is shown now, followed as it changes. */
import { parseRoute, type Route } from './parse'

class Router {
  current = $state.raw<Route>(parseRoute(''))

  start(): void {
    const read = () => (this.current = parseRoute(location.hash))
    read()
    addEventListener('hashchange', read)
  }
}

export const router = new Router()

export const toLab = '#/lab'
export const toGlossary = '#/glossary'
export const toDashboard = (uid: string): string => `#/dashboards/${encodeURIComponent(uid)}`
export const toPanel = (uid: string, panel: number): string => `${toDashboard(uid)}?panel=${panel}`
export const toScenario = (id: string): string => `#/scenario/${encodeURIComponent(id)}`
export const toTerm = (id: string): string => `${toGlossary}?term=${encodeURIComponent(id)}`
