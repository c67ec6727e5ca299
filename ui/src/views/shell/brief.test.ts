import { expect, it } from 'vitest'

import { brief } from './brief'

it.each([
  [
    'etcd-labctl bench --endpoints=127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 --clients=20 put --val-size=8',
    'etcd-labctl bench --endpoints=… --clients=20 put --val-size=8',
  ],
  ['etcdctl --endpoints http://a:1,http://b:2 endpoint status', 'etcdctl --endpoints … endpoint status'],
  ['etcdctl --endpoints=127.0.0.1:2379 put a b,c', 'etcdctl --endpoints=127.0.0.1:2379 put a b,c'],
  ['curl http://127.0.0.1:11180/walBeforeFdatasync', 'curl http://127.0.0.1:11180/walBeforeFdatasync'],
])('%s', (command, expected) => expect(brief(command)).toBe(expected))
