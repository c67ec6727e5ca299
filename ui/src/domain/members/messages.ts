/** Words of a member's card. */
export const words = {
  card: (name: string) => `Member ${name}`,
  menu: (name: string) => `What can be done with ${name}`,
  alarm: (kind: string) => (kind === 'NOSPACE' ? 'The database is full: puts are refused' : `Alarm ${kind} is raised`),
  pid: (pid: number | null) => (pid === null ? 'No process' : `Process ${pid}`),
  inUse: (size: string) => `${size} of it in use`,
  applied: (lag: number) =>
    lag <= 0 ? 'Everything committed is applied' : `${lag.toLocaleString('en')} committed entries not applied yet`,
  waiting: (healthy: boolean, hasLeader: boolean) =>
    healthy ? (hasLeader ? 'Ready' : 'Healthy; waiting for a leader') : 'Waiting for its health check',
  asOf: (time: string) => `as of ${time} ago`,
  restart: 'Restart',
  log: 'Show log',
  defragment: 'Defragment',
  copyUrl: 'Copy client URL',
}
