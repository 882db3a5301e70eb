import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { joined } from '../../src/drivers/joined/index.ts'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { appConformance } from '../../src/testing/contract/index.ts'
import { type FakeBroker, fakeBroker } from '../joined/broker.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-app-joined-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const brokers = new Map<string, FakeBroker>()

describe('a broker before SQLite', () => {
  appConformance({
    describe,
    test,
    open(namespace) {
      const broker = brokers.get(namespace) ?? fakeBroker()
      brokers.set(namespace, broker)
      const store = sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' })
      // The helper thread exists only as built.
      const { pulse: _, ...backend } = joined(broker.connect(), store)
      return backend
    },
  })
})
