/** Words of the lab screen. */
export const words = {
  loads: 'Loads',
  subject: 'Put or range',
  put: 'Put',
  range: 'Range',
  diagram: { put: 'Where a put spends its time, now', range: 'Where a range spends its time, now' },
  diagramStill: { put: 'What happens in a put', range: 'What happens in a range' },
  noDiagram: 'The diagrams of this lab are not here yet.',

  all: { put: 'All of Puts', range: 'All of Ranges' },

  heroTitle: 'Three etcd members, on this machine',
  heroText:
    'Start a real cluster with failpoints built in, put it under load, and watch its metrics move. It listens on this machine only, and ends with this window.',
  start: 'Start cluster',
  links: 'Links',
  linksDirect: 'Direct',
  linksBridge: 'Can be delayed and cut',
  data: 'Data',
  dataFresh: 'Fresh',
  dataKept: 'From last time',
  afterKill: 'After a kill',
  afterKillRemove: 'Remove containers',
  afterKillAdopt: 'Keep them',
  afterKillNote: {
    remove: 'Gone within seconds',
    adopt: 'The next start goes on with them',
  },
  natively: 'Start without Docker',

  starting: 'Starting the cluster',
  startingText: 'It is ready when every member is healthy and a leader is known.',
  healthy: (is: boolean) => (is ? 'Healthy' : 'Waiting for its health check'),
  knowsLeader: (does: boolean) => (does ? 'Knows a leader' : 'Waiting for a leader'),
  stopping: 'Stopping the cluster',
  stoppingText: 'Loads end first, then the members.',
  freePorts: 'Use free ports',
  tryAgain: 'Try again',
  connecting: 'Looking for the lab',
}
