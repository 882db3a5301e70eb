import { afterAll } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { anyRedis } from '../setup/redis.ts'
import { flowRules } from './flows-rules/suite.ts'

const server = await anyRedis()
afterAll(() => server[Symbol.asyncDispose]())

flowRules((namespace) => {
  const { pulse: _, ...backend } = redis({ url: server.url, namespace })
  return backend
}, 2)
