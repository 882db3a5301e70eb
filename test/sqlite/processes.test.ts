import { once } from 'node:events'
import { existsSync, rmSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { loadLibrary } from '../../src/drivers/sqlite/library.ts'
import { SCHEMA_VERSION } from '../../src/drivers/sqlite/schema.ts'
import { openStore } from '../../src/drivers/sqlite/store.ts'
import { check } from '../../src/drivers/sqlite/url.ts'
import type { Diagnosis } from '../../src/port/index.ts'
import { consume, submission, testFolder } from './folder.ts'
import { startProcess } from './process.ts'

const { fresh } = testFolder()
const forever = () => new AbortController().signal
const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!

test('several processes that open a new file at once all find it ready', async () => {
  const path = fresh()
  const others = await Promise.all([1, 2, 3, 4].map(() => startProcess(`sqlite:${path}`)))
  await Promise.all(others.map((other, i) => other.call('submit', [submission(`a${i}`)])))
  for (const other of others) {
    for (let i = 0; i < others.length; i++) expect(await other.call('state', `a${i}`)).toBe('waiting')
    await other[Symbol.asyncDispose]()
  }
})

test('several processes that open a file of an older schema at once bring it up to date, with all that it holds', async () => {
  const path = fresh()
  await using backend = sqlite({ path })
  await backend.submit([submission('before')])
  await backend[Symbol.asyncDispose]()
  const db = loadLibrary().open(path)
  // As the first version left it.
  db.exec(
    `DROP TABLE schedules; DROP TABLE locks; DELETE FROM meta WHERE name = 'versions'; PRAGMA user_version = 1`,
  )
  db.close()
  const others = await Promise.all([1, 2, 3, 4].map(() => startProcess(`sqlite:${path}`)))
  const ready = await Promise.all(others.map((other) => other.call<Diagnosis>('diagnose')))
  expect(ready.map(({ versions }) => versions.schema)).toEqual(others.map(() => String(SCHEMA_VERSION)))
  for (const other of others) {
    expect(await other.call('state', 'before')).toBe('waiting')
    await other[Symbol.asyncDispose]()
  }
})

describe('the doorbell', () => {
  /** Times in which a job submitted here is finished by a waiting worker in another process. */
  async function roundTrips(path: string, count: number): Promise<number[]> {
    await using backend = sqlite({ path })
    await using other = await startProcess(`sqlite:${path}`)
    await other.call('consume', 'its-worker', 15_000)
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const done = other.call('finishNext')
      const since = performance.now()
      await backend.submit([submission(`a${i}`)])
      expect(await done).toBe(`a${i}`)
      times.push(performance.now() - since)
    }
    return times
  }

  test('wakes a waiting worker in another process at once', async () => {
    // The poll alone would take 200 ms on average.
    expect(median(await roundTrips(fresh(), 21))).toBeLessThan(100)
  })

  test('that is taken away is hung up again, and nobody waits for ever meanwhile', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await using worker = await consume(backend, 'my-worker')
    await using other = await startProcess(`sqlite:${path}`)
    await other.call('sweep', 1)
    for (let i = 0; i < 3; i++) {
      const taken = worker.take(10, forever())
      rmSync(`${path}-bell`)
      await other.call('submit', [submission(`a${i}`)])
      expect((await taken).map(({ job }) => job.id)).toEqual([`a${i}`])
      await expect.poll(() => existsSync(`${path}-bell`)).toBe(true)
    }
  })

  test('tells who waits for an end in another process', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await using other = await startProcess(`sqlite:${path}`)
    await other.call('consume', 'its-worker', 15_000)
    const stop = new AbortController()
    const times: number[] = []
    for (let i = 0; i < 11; i++) {
      const hints = backend.events({ ids: [`a${i}`] }, stop.signal)[Symbol.asyncIterator]()
      expect(await hints.next()).toEqual({ done: false, value: {} })
      await backend.submit([submission(`a${i}`)])
      const done = other.call('finishNext').then(() => performance.now())
      while ((await backend.records.get([`a${i}`]))[0]?.state !== 'succeeded') await hints.next()
      times.push(performance.now() - (await done))
      await hints.return?.()
    }
    stop.abort()
    expect(median(times)).toBeLessThan(100)
  })

  test('rings for a cancel mark, and only a mark wakes a worker’s own subscription', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await using worker = await consume(backend, 'my-worker')
    await using other = await startProcess(`sqlite:${path}`)
    await other.call('submit', [submission('a'), submission('b')])
    await worker.take(10, forever())
    const stop = new AbortController()
    const hints = backend.events({ worker: 'my-worker' }, stop.signal)[Symbol.asyncIterator]()
    await hints.next()
    const hint = hints.next()
    let told = false
    void hint.then(() => {
      told = true
    })
    for (let i = 0; i < 5; i++) await other.call('submit', [submission(`c${i}`)])
    expect(told).toBe(false)
    expect(await other.call('cancel', 'a')).toEqual(['cancelling'])
    await hint
    expect((await worker.renew([])).cancel.map(({ job }) => job.id)).toEqual(['a'])
    stop.abort()
    await hints.next()
  })
})

test('a process with an open backend that waits for nothing may exit', async () => {
  await using other = await startProcess(`sqlite:${fresh()}`)
  await other.call('submit', [submission('a')])
  await other.call('consume', 'its-worker', 15_000)
  const exit = once(other.child, 'exit')
  other.child.send({ call: 'leave', values: [] })
  expect(await exit).toEqual([0, null])
})

test('a process that waits for work stays', async () => {
  const path = fresh()
  await using other = await startProcess(`sqlite:${path}`)
  await other.call('consume', 'its-worker', 15_000)
  other.child.send({ call: 'finishNext', values: [] })
  other.child.send({ call: 'leave', values: [] })
  await once(other.child, 'disconnect')
  await using backend = sqlite({ path })
  await backend.submit([submission('a')])
  await expect.poll(async () => (await backend.records.get(['a']))[0]?.state).toBe('succeeded')
})

test('the write-ahead log is cut back once a reader no longer holds it', async () => {
  const path = fresh()
  const store = await openStore(check({ path, durability: 'normal' }))
  const reader = await openStore(check({ path }))
  await using backend = sqlite({ path, durability: 'normal' })
  const { db } = reader.connection
  await backend.submit([submission('first')])
  db.exec('BEGIN')
  db.prepare('SELECT count(*) FROM jobs').get()
  const body = `1${'x'.repeat(20_000)}`
  for (let i = 0; i < 1200; i += 100) {
    await backend.submit(Array.from({ length: 100 }, (_, k) => submission(`a${i + k}`, { body })))
  }
  const size = () => statSync(`${path}-wal`).size
  expect(size()).toBeGreaterThan(16 * 1024 * 1024)
  await backend.sweep(100)
  expect(size()).toBeGreaterThan(16 * 1024 * 1024)
  db.exec('COMMIT')
  await backend.sweep(100)
  expect(size()).toBe(0)
  await reader.close()
  await store.close()
})

test('closing leaves a file that is whole by itself', async () => {
  const path = fresh()
  const backend = sqlite({ path })
  await backend.submit([submission('a')])
  await backend[Symbol.asyncDispose]()
  expect(statSync(path).size).toBeGreaterThan(4096)
  expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
})
