/** A few terms for the made-up lab. */
import type { LinkTo, TermView } from '$shared/api/lab'

export const terms: TermView[] = [
  {
    id: 'compaction',
    term: 'Compaction',
    also: ['compact'],
    text: 'Forgets the versions of keys that are older than a **revision**. The room they had in the file can be used again; the file stays as large as it is.',
    metrics: [
      {
        name: 'etcd_debugging_mvcc_db_compaction_total_duration_milliseconds',
        exposed: true,
        kind: 'histogram',
        help: 'Bucketed histogram of db compaction total duration.',
        unit: 'ms',
        buckets: [100, 200, 400, 800, 1600, 3200, 6400, 12800],
      },
    ],
    links: [{ text: 'etcd: maintenance', url: 'https://etcd.io/docs/v3.5/op-guide/maintenance/' }],
  },
  {
    id: 'fsync',
    term: 'fsync',
    also: ['fdatasync', 'sync'],
    text: 'Asks the operating system to put what was written onto the disk, and waits until it is there. A member says that it has an entry only after the `fdatasync` of its write-ahead log.',
    metrics: [
      {
        name: 'etcd_disk_wal_fsync_duration_seconds',
        exposed: true,
        kind: 'histogram',
        help: 'The latency distributions of fsync called by WAL.',
        unit: 's',
        buckets: [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192],
      },
    ],
    links: [{ text: 'etcd: FAQ, performance', url: 'https://etcd.io/docs/v3.5/faq/#performance' }],
  },
  {
    id: 'grpc-request',
    term: 'Request',
    also: ['RPC'],
    text: 'What a client asks of a member: a put, a range, a compaction.',
    metrics: [
      {
        name: 'grpc_server_handled_total',
        exposed: true,
        kind: 'counter',
        help: 'Total number of RPCs completed on the server, regardless of success or failure.',
        unit: '',
        buckets: [],
      },
      {
        name: 'etcd_server_request_duration_seconds',
        exposed: false,
        kind: '',
        help: '',
        unit: 's',
        buckets: [],
      },
    ],
    links: [],
  },
  {
    id: 'quota',
    term: 'Quota',
    also: ['database space exceeded', 'NOSPACE'],
    text: 'How large the database file may get. Beyond it the member raises the alarm NOSPACE, and puts are refused.',
    metrics: [
      {
        name: 'etcd_server_quota_backend_bytes',
        exposed: true,
        kind: 'gauge',
        help: 'Current backend storage quota size in bytes.',
        unit: 'B',
        buckets: [],
      },
    ],
    links: [],
  },
]

export const references: LinkTo[] = [
  { text: 'etcd: metrics', url: 'https://etcd.io/docs/v3.5/metrics/' },
  { text: 'In Search of an Understandable Consensus Algorithm', url: 'https://raft.github.io/raft.pdf' },
]
