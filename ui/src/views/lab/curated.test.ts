import { describe, expect, it } from 'vitest'

import { SUBJECTS } from './curated'

interface Board {
  uid: string
  panels: { type: string; title: string }[]
}

const boards = Object.values(
  import.meta.glob<string>('../../../../grafana/dashboards/*.json', { eager: true, query: '?raw', import: 'default' }),
).map((text) => JSON.parse(text) as Board)
const diagrams = Object.values(
  import.meta.glob<string>('../../../../src-tauri/scenarios/diagrams/*.yaml', {
    eager: true,
    query: '?raw',
    import: 'default',
  }),
)

describe.each(Object.values(SUBJECTS))('what is watched of a $kind', ({ dashboard, panels, diagram }) => {
  it.each([...panels])('%s is a panel of its dashboard, once', (title) => {
    const board = boards.find(({ uid }) => uid === dashboard)
    expect(board?.panels.filter((panel) => panel.title === title && panel.type !== 'row')).toHaveLength(1)
  })

  it('has its diagram', () => {
    expect(diagrams.filter((text) => text.startsWith(`id: ${diagram}\n`))).toHaveLength(1)
  })
})
