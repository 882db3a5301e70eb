import { afterAll, describe, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { anyRedis } from '../setup/redis.ts'

const server = await anyRedis()
afterAll(() => server[Symbol.asyncDispose]())

seamConformance({ describe, test, open: (namespace) => redis({ url: server.url, namespace }) })
