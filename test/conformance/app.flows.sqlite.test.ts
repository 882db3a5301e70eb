import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { randomFlows } from './app/tests.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-app-flows-'))
afterAll(() => rmSync(folder, { recursive: true }))

// What is synced to the disk has no part in what is shown here.
randomFlows((namespace) => {
  const { pulse: _, ...backend } = sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' })
  return backend
}, 100)
