/** Words of a panel. */
export const words = {
  watch: 'What to watch',
  window: 'How far charts look back',
  minutes: (seconds: number) => `${seconds / 60} min`,
  stale: (seconds: number) => `No data for ${seconds} s`,
  about: (title: string) => `About ${title}`,
  enlarge: (title: string) => `Enlarge ${title}`,
  stopped: 'Drawn here once the cluster runs',
  waiting: 'Waiting for the first scrapes',
  noSeries: 'Nothing to show: no such events yet',
  queries: 'Queries',
  line: 'Line',
  last: 'Last',
  min: 'Min',
  mean: 'Mean',
  max: 'Max',
}
