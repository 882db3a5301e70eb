import { afterAll, describe, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import type { Backend } from '../../src/port/index.ts'
import { appConformance } from '../../src/testing/contract/index.ts'
import { anyRedis } from '../setup/redis.ts'

const server = await anyRedis()
afterAll(() => server[Symbol.asyncDispose]())

/** The helper thread exists only as built; what it does is shown by the seam's suite and the crash tests. */
function withoutPulse(backend: Backend): Backend {
  const { pulse: _, ...rest } = backend
  return rest
}

appConformance({
  describe,
  test,
  open: (namespace) => withoutPulse(redis({ url: server.url, namespace })),
})
