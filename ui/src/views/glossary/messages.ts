/** Words of the glossary's screen. */
export const words = {
  title: 'Glossary',
  search: 'Search terms and metrics',
  found: (count: number) => `${count} ${count === 1 ? 'term' : 'terms'}`,
  none: (wanted: string) => `Nothing here says “${wanted}”.`,
  references: 'References',
  waiting: 'Reading the terms',
  empty: 'The glossary of this lab is empty.',
}
