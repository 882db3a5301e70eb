import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Backend, Submission } from '../../src/port/index.ts'

let files = 0

/** A folder of this test file's own; `fresh` names a file in it that isn't there yet. */
export function testFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
  chmodSync(folder, 0o755)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, fresh: () => join(folder, `${++files}.db`) }
}

export const submission = (id: string, fields: Partial<Submission['jobs'][0]> = {}): Submission => ({
  jobs: [
    {
      id,
      task: 'work',
      queue: 'default',
      body: '1null',
      priority: 0,
      keep: { succeeded: 3_600_000, failed: 3_600_000 },
      ...fields,
    },
  ],
})

export const consume = (backend: Backend, worker: string) =>
  backend.consume({ worker, queues: [{ name: 'default', weight: 1 }], capacity: 10, lease: 15_000 })
