import { afterAll, describe, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { redisCluster } from '../setup/cluster.ts'

const cluster = await redisCluster()
afterAll(() => cluster[Symbol.asyncDispose]())

seamConformance({ describe, test, open: (namespace) => redis({ url: cluster.url, namespace }) })
