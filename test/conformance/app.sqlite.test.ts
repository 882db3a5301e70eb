import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from 'millrace/sqlite'
import { appConformance } from 'millrace/testing'
import { afterAll, describe, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'millrace-app-'))
afterAll(() => rmSync(folder, { recursive: true }))

appConformance({
  describe,
  test,
  open: (namespace) => sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' }),
})
