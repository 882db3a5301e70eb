import { afterAll } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { anyRedis } from '../setup/redis.ts'
import { randomFlows } from './app/tests.ts'

const server = await anyRedis()
afterAll(() => server[Symbol.asyncDispose]())

randomFlows((namespace) => {
  const { pulse: _, ...backend } = redis({ url: server.url, namespace })
  return backend
}, 100)
