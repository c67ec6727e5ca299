/** Words of a member's card. */
export const words = {
  card: (name: string) => `Member ${name}`,
  menu: (name: string) => `What can be done with ${name}`,
  alarm: (kind: string) => (kind === 'NOSPACE' ? 'The database is full: puts are refused' : `Alarm ${kind} is raised`),
  runsAs: (member: { pid: number | null; container: string | null }) =>
    member.container !== null
      ? `Container ${member.container}`
      : member.pid !== null
        ? `Process ${member.pid}`
        : 'No process',
  inUse: (size: string) => `${size} of it in use`,
  applied: (lag: number) =>
    lag <= 0 ? 'Everything committed is applied' : `${lag.toLocaleString('en')} committed entries not applied yet`,
  waiting: (healthy: boolean, hasLeader: boolean) =>
    healthy ? (hasLeader ? 'Ready' : 'Healthy; waiting for a leader') : 'Waiting for its health check',
  asOf: (time: string) => `as of ${time} ago`,
  restart: 'Restart',
  startAgain: 'Start again',
  act: { stop: 'Stop', kill: 'Kill', pause: 'Pause', resume: 'Resume' },
  log: 'Show log',
  defragment: 'Defragment',
  copyUrl: 'Copy client URL',
}
