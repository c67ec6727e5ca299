/** Where a place in etcd's source is on the web. Pure. */
import type { SourcePlace } from '$shared/api/lab'

/** On the branch of its release line, where it stays while that line is looked after. */
export const sourceAddress = ({ etcd, file }: SourcePlace): string =>
  `https://github.com/etcd-io/etcd/blob/release-${etcd}/${file}`
