import { afterAll, describe, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { redisCluster } from '../setup/cluster.ts'
import { except } from './shards.ts'

const cluster = await redisCluster()
afterAll(() => cluster[Symbol.asyncDispose]())

seamConformance({
  describe,
  test,
  ordered: false,
  refuses: { unique: 'INVALID_OPTION' },
  except,
  open: (namespace) => redis({ url: cluster.url, namespace, shards: 3 }),
})
