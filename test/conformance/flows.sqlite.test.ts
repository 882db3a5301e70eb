import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { flowsHold } from './flows/property.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-flows-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('random flows come to what the oracle says, whatever happens to their workers', async () => {
  const path = join(folder, 'flows.db')
  await using front = sqlite({ path })
  await using back = sqlite({ path })
  await flowsHold([front, back], 500)
}, 300_000)
