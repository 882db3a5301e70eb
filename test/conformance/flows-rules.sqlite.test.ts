import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { flowRules } from './flows-rules/suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-flow-rules-'))
afterAll(() => rmSync(folder, { recursive: true }))

// What is synced to the disk has no part in what is shown here.
flowRules((namespace) => {
  const { pulse: _, ...backend } = sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' })
  return backend
}, 2)
