/** Words of a dashboard's screen. */
export const words = {
  window: 'How far charts look back',
  minutes: (seconds: number) => `${seconds / 60} min`,
  unknown: 'There is no such dashboard in this lab.',
  reading: 'The dashboards are being read.',
  stopped: 'Start the cluster, and these panels draw what it does.',
  panels: (count: number) => `${count} ${count === 1 ? 'panel' : 'panels'}`,
}
