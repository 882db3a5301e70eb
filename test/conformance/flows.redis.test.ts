import { test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { anyRedis } from '../setup/redis.ts'
import { flowsHold } from './flows/property.ts'

test('random flows come to what the oracle says, whatever happens to their workers', async () => {
  await using server = await anyRedis()
  const settings = { url: server.url, namespace: `flows-${process.pid}` }
  await using front = redis(settings)
  await using back = redis(settings)
  await flowsHold([front, back], Number(process.env.RUNS ?? 500))
}, 300_000)
