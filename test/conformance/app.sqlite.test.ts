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
  open(namespace) {
    // To start a helper thread for each worker takes most of the time here; the crash tests show what it does.
    const { pulse: _, ...backend } = sqlite({ path: join(folder, `${namespace}.db`) })
    return backend
  },
})
