/** Words of what is chosen for the next cluster. */
export const words = {
  runtime: 'Runs as',
  runtimes: { native: 'Native', docker: 'Docker' },
  runtimeNote: { native: 'Child processes of this program', docker: 'Containers of a Docker engine' },
  version: 'etcd',
  ports: 'Ports',
  portsTopology: 'Standard',
  portsAuto: 'Any free',
}
