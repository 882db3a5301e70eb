import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-seam-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

seamConformance({ describe, test, open: (namespace) => sqlite({ path: join(folder, `${namespace}.db`) }) })
