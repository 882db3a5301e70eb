import { afterAll, describe, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { appConformance } from '../../src/testing/contract/index.ts'
import { redisCluster } from '../setup/cluster.ts'

const cluster = await redisCluster()
afterAll(() => cluster[Symbol.asyncDispose]())

const order = 'a queue has one line in each shard, and each keeps to the order by itself'

appConformance({
  describe,
  test,
  refuses: { unique: 'INVALID_OPTION' },
  except: {
    'what is handed back is first in line again': order,
    'what can’t be unique so is refused at the call': 'it does not come to the backend, which refuses more',
    'an array is accepted in order, a handle for each': order,
    'higher priorities are run first, and first in is first out among equals': order,
    'a stopping worker takes no more, and finishes what runs within its grace': order,
    'jobs() lists the newest first, in pages that don’t shift': 'jobs of one instant are listed by shard',
  },
  open(namespace) {
    const { pulse: _, ...backend } = redis({ url: cluster.url, namespace, shards: 3 })
    return backend
  },
})
