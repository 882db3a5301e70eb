import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { loadLibrary } from '../../src/drivers/sqlite/library.ts'
import { openStore } from '../../src/drivers/sqlite/store.ts'
import { submit } from '../../src/drivers/sqlite/submit.ts'
import { check } from '../../src/drivers/sqlite/url.ts'
import { submission, testFolder } from './folder.ts'
import { startProcess } from './process.ts'

const { folder, fresh } = testFolder()

/** A file of ours with some jobs in it, closed. */
async function filled(path = fresh(), count = 500): Promise<string> {
  await using backend = sqlite({ path })
  await backend.submit(
    Array.from({ length: count }, (_, i) => submission(`a${i}`, { body: `1${'x'.repeat(200)}` })),
  )
  return path
}

const refused = (code: string, retryable = false) => ({ name: 'BackendError', code, retryable })

describe('a locked file', () => {
  test('is waited for while the loop runs, and nothing is lost', async () => {
    const path = await filled()
    await using other = await startProcess(`sqlite:${path}`)
    await using backend = sqlite({ path })
    await backend.sweep(1)
    await other.call('lock', path)
    let turns = 0
    const ticker = setInterval(() => turns++, 1)
    const write = backend.submit([submission('late')])
    while (turns < 100) await sleep(1)
    clearInterval(ticker)
    // Reading goes on beside a writer.
    expect((await backend.records.get(['a0', 'late'])).map((record) => record?.state)).toEqual([
      'waiting',
      undefined,
    ])
    await other.call('unlock')
    expect(await write).toEqual([{ id: 'late', status: 'accepted' }])
  })

  test('refuses a call after the busy timeout, and works again once freed', async () => {
    const path = await filled()
    await using other = await startProcess(`sqlite:${path}`)
    await using backend = sqlite({ path, busyTimeout: 200 })
    await backend.sweep(1)
    await other.call('lock', path)
    const refusal = backend.submit([submission('late')])
    await expect(refusal).rejects.toMatchObject(refused('BACKEND_LOCKED', true))
    await expect(refusal).rejects.toThrow(path)
    await other.call('unlock')
    expect(await backend.submit([submission('late')])).toEqual([{ id: 'late', status: 'accepted' }])
  })

  test('that is new and locked is migrated once freed', async () => {
    const path = fresh()
    await using other = await startProcess(`sqlite:${path}`)
    await other.call('lock', path)
    await using backend = sqlite({ path })
    const write = backend.submit([submission('a')])
    await sleep(50)
    await other.call('unlock')
    expect(await write).toEqual([{ id: 'a', status: 'accepted' }])
  })
})

test('a full file refuses what does not fit, keeps what it has, and recovers', async () => {
  const store = await openStore(check({ path: fresh() }))
  const { db } = store.connection
  const add = (id: string) =>
    store.ground.writer.write((at) => submit(at, [submission(id, { body: `1${'x'.repeat(3000)}` })]))
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${pages + 20}`)
  const kept: string[] = []
  const failed = await (async () => {
    for (let i = 0; ; i++) {
      try {
        await add(`a${i}`)
        kept.push(`a${i}`)
      } catch (error) {
        return error
      }
    }
  })()
  expect(failed).toMatchObject(refused('BACKEND_FULL', true))
  expect(kept.length).toBeGreaterThan(5)
  const states = (await store.records.get(kept)).map((record) => record?.state)
  expect(new Set(states)).toEqual(new Set(['waiting']))
  db.exec(`PRAGMA max_page_count = ${pages + 1000}`)
  await add('later')
  expect((await store.records.get(['later']))[0]?.state).toBe('waiting')
  await store.close()
})

describe('a file without write access', () => {
  test('is refused as read-only, for a user who may only read', async () => {
    const path = await filled(join(folder, 'readonly.db'))
    chmodSync(path, 0o444)
    // Root may write anything, so another user has to try.
    await using other = await startProcess(`sqlite:${path}`, process.getuid?.() === 0 ? { uid: 65534 } : {})
    const refusal = await other.refusal('submit', [submission('b')])
    expect(refusal).toMatchObject(refused('BACKEND_READ_ONLY'))
    expect(refusal.message).toContain(path)
  })

  test('is refused as read-only when the folder of a new file may not be written', async () => {
    const locked = join(folder, 'locked')
    mkdirSync(locked, { mode: 0o555 })
    await using other = await startProcess(
      `sqlite:${locked}/new.db`,
      process.getuid?.() === 0 ? { uid: 65534 } : {},
    )
    expect(await other.refusal('submit', [submission('b')])).toMatchObject(refused('BACKEND_READ_ONLY'))
  })
})

describe('a file that is not ours to use', () => {
  const isKept = async (path: string, code: string) => {
    const before = readFileSync(path)
    for (const call of ['submit', 'sweep', 'read'] as const) {
      const backend = sqlite({ path })
      const run = {
        submit: () => backend.submit([submission('z')]),
        sweep: () => backend.sweep(1),
        read: () => backend.records.get(['a0']),
      }[call]
      const refusal = run()
      await expect(refusal).rejects.toMatchObject(refused(code))
      await expect(refusal).rejects.toThrow(path)
      await backend[Symbol.asyncDispose]()
      expect(readFileSync(path).equals(before)).toBe(true)
    }
  }

  test('is refused as corrupt when it is truncated, and kept byte for byte', async () => {
    const path = await filled()
    truncateSync(path, 40_000)
    await isKept(path, 'BACKEND_CORRUPT')
  })

  test('is refused as corrupt when its first pages are overwritten, and kept byte for byte', async () => {
    const path = await filled()
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 100, 3 * 4096)
    writeFileSync(path, bytes)
    await isKept(path, 'BACKEND_CORRUPT')
  })

  test('is refused as corrupt when it is no database, and kept byte for byte', async () => {
    const path = fresh()
    writeFileSync(path, 'Dear diary, '.repeat(1000))
    await isKept(path, 'BACKEND_CORRUPT')
  })

  test('is refused as corrupt when it is another program’s database, and kept byte for byte', async () => {
    const path = fresh()
    const db = loadLibrary().open(path)
    db.exec('CREATE TABLE customers (name TEXT)')
    db.close()
    await isKept(path, 'BACKEND_CORRUPT')
  })

  test('is refused when its schema is newer, and kept byte for byte', async () => {
    const path = await filled()
    const db = loadLibrary().open(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await isKept(path, 'BACKEND_VERSION')
  })
})

test('an empty file becomes a database', async () => {
  const path = fresh()
  writeFileSync(path, '')
  await filled(path, 1)
})

test('a missing folder is named, with the command that makes it', async () => {
  await using backend = sqlite({ path: join(folder, 'none/such/jobs.db') })
  const refusal = backend.sweep(1)
  await expect(refusal).rejects.toMatchObject(refused('BACKEND_UNAVAILABLE'))
  await expect(refusal).rejects.toThrow('mkdir -p')
})

test('a missing file is not made with create: false, and opened once it is there', async () => {
  const path = fresh()
  await using backend = sqlite({ path, create: false })
  await expect(backend.records.counts()).rejects.toMatchObject(refused('BACKEND_MISSING'))
  expect(existsSync(path)).toBe(false)
  await filled(path, 1)
  expect(await backend.records.counts()).toHaveLength(1)
})

test('a folder in place of the file is refused', async () => {
  await using backend = sqlite({ path: folder })
  await expect(backend.sweep(1)).rejects.toMatchObject(refused('BACKEND_UNAVAILABLE'))
})

test('a failed opening is tried again by the next call', async () => {
  const path = join(folder, 'soon/jobs.db')
  await using backend = sqlite({ path })
  await expect(backend.sweep(1)).rejects.toMatchObject(refused('BACKEND_UNAVAILABLE'))
  mkdirSync(dirname(path))
  expect(await backend.submit([submission('a')])).toEqual([{ id: 'a', status: 'accepted' }])
  rmSync(dirname(path), { recursive: true })
})

test('texts that hold NUL characters come back whole', async () => {
  await using backend = sqlite({ path: fresh() })
  const bodies = ['1\0', '1a\0b\u0001', '\u0001"x"', '\0']
  await backend.submit(bodies.map((body, i) => submission(`a${i}`, { body })))
  const records = await backend.records.get(bodies.map((_, i) => `a${i}`))
  expect(records.map((record) => record?.kind === 'job' && record.job.body)).toEqual(bodies)
})
