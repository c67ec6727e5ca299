/** Words of what is chosen for the next cluster. */
export const words = {
  version: 'etcd',
  ports: 'Ports',
  portsTopology: 'Standard',
  portsAuto: 'Any free',
}
