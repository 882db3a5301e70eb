import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { joined } from '../../src/drivers/joined/index.ts'
import { memory } from '../../src/drivers/memory/index.ts'
import { redis } from '../../src/drivers/redis/index.ts'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { Store } from '../../src/port/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { type FakeBroker, fakeBroker } from '../joined/broker.ts'
import { anyRedis } from '../setup/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-joined-'))
const server = await anyRedis()
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const stores: Record<string, (namespace: string) => Store> = {
  memory: (namespace) => memory(`joined-${namespace}`),
  SQLite: (namespace) => sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' }),
  Redis: (namespace) => redis({ url: server.url, namespace: `joined-${namespace}` }),
}

for (const [name, open] of Object.entries(stores)) {
  const brokers = new Map<string, FakeBroker>()
  describe(`a broker before ${name}`, () => {
    seamConformance({
      describe,
      test,
      open(namespace) {
        const broker = brokers.get(namespace) ?? fakeBroker()
        brokers.set(namespace, broker)
        return joined(broker.connect(), open(namespace))
      },
    })
  })
}
