import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { joined } from '../../src/drivers/joined/index.ts'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { Backend } from '../../src/port/index.ts'
import { type FakeBroker, fakeBroker } from './broker.ts'

/** Opens handles on namespaces of a broker before SQLite, whose files go with the tests of this file. */
export function carried(): (namespace: string) => Backend {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-carried-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const brokers = new Map<string, FakeBroker>()
  return (namespace) => {
    const broker = brokers.get(namespace) ?? fakeBroker()
    brokers.set(namespace, broker)
    const store = sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' })
    // The helper thread exists only as built.
    const { pulse: _, ...backend } = joined(broker.connect(), store)
    return backend
  }
}
