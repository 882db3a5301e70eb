import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { connect } from '../../src/drivers/sqlite/connection.ts'
import type { Database } from '../../src/drivers/sqlite/library.ts'
import { loadLibrary } from '../../src/drivers/sqlite/library.ts'
import { check } from '../../src/drivers/sqlite/url.ts'
import { createWriter, type Writer } from '../../src/drivers/sqlite/writer.ts'
import { testFolder } from './folder.ts'

const { fresh } = testFolder()
const closing: Database[] = []
afterEach(() => {
  for (const db of closing.splice(0)) db.close()
})

/** A writer on a real file, and what it has told the database. `sync` decides when a commit is durable. */
async function setUp(busyTimeout = 5000, sync?: (done: () => void) => void) {
  const settings = check({ path: fresh(), busyTimeout })
  const { db } = await connect(settings)
  db.exec('CREATE TABLE things (name TEXT PRIMARY KEY)')
  closing.push(db)
  const log: string[] = []
  const committed: number[] = []
  const kept: number[] = []
  let transactions = 0
  const logged: Database = {
    exec(sql) {
      log.push(sql)
      db.exec(sql)
    },
    prepare: (sql) => db.prepare(sql),
    close: () => db.close(),
    get isTransaction() {
      return db.isTransaction
    },
  }
  const writer: Writer<number> = createWriter({
    db: logged,
    file: settings.file,
    busyTimeout,
    begin: () => ++transactions,
    durable: (done) => (sync ? sync(() => done(undefined)) : done(undefined)),
    committed: (transaction) => committed.push(transaction),
    kept: (transaction) => kept.push(transaction),
  })
  const insert = db.prepare('INSERT INTO things VALUES (?)')
  const names = () =>
    (db.prepare('SELECT name FROM things ORDER BY name').all() as { name: string }[]).map((row) => row.name)
  const lock = () => {
    const other = loadLibrary().open(settings.path)
    other.exec('BEGIN IMMEDIATE')
    return () => other.close()
  }
  return { writer, insert, names, log, committed, kept, lock }
}

const commits = (log: string[]) => log.filter((sql) => sql === 'COMMIT').length

test('what is written in one tick shares one commit', async () => {
  const { writer, insert, names, log } = await setUp()
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => writer.write(() => insert.run(`n${String(i).padStart(2, '0')}`))),
  )
  expect(commits(log)).toBe(1)
  expect(names()).toHaveLength(100)
})

test('a hundred callers, each waiting for its own write, share their commits', async () => {
  const { writer, insert, names, log } = await setUp()
  const caller = async (_: unknown, i: number) => {
    for (let k = 0; k < 10; k++) await writer.write(() => insert.run(`${i}-${k}`))
  }
  await Promise.all(Array.from({ length: 100 }, caller))
  expect(names()).toHaveLength(1000)
  expect(commits(log)).toBeLessThan(50)
})

test('a write that throws fails alone, and its neighbours are written', async () => {
  const { writer, insert, names, committed } = await setUp()
  const results = await Promise.allSettled([
    writer.write(() => insert.run('a')),
    writer.write(() => {
      insert.run('trace')
      throw new TypeError('broken')
    }),
    writer.write(() => insert.run('b')),
    writer.write(() => insert.run('a')),
    writer.write(() => 'c'),
  ])
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(TypeError)
  expect((results[3] as PromiseRejectedResult).reason).toMatchObject({ code: 'BACKEND_ERROR' })
  expect(names()).toEqual(['a', 'b'])
  expect(committed).toHaveLength(1)
})

test('a write is answered, and told of, once it is durable; a claim once it is committed', async () => {
  const syncs: (() => void)[] = []
  const { writer, committed, kept } = await setUp(5000, (done) => syncs.push(done))
  const answered: string[] = []
  const write = writer.write(() => {}).then(() => answered.push('write'))
  await writer.write(() => {}, true).then(() => answered.push('claim beside it'))
  await writer.write(() => {}, true).then(() => answered.push('claim alone'))
  expect(answered).toEqual(['claim beside it', 'claim alone'])
  expect([committed, kept]).toEqual([[1, 2], [2]])
  expect(syncs).toHaveLength(1)
  const idle = writer.idle().then(() => answered.push('idle'))
  syncs[0]!()
  await Promise.all([write, idle])
  expect(answered.slice(2)).toEqual(['write', 'idle'])
  expect(kept).toEqual([2, 1])
})

test('a write that could not be made durable is refused', async () => {
  const path = fresh()
  const settings = check({ path })
  const { db } = await connect(settings)
  closing.push(db)
  const failure = new Error('no more disk')
  const kept: number[] = []
  const writer = createWriter({
    db,
    file: path,
    busyTimeout: 5000,
    durable: (done) => done(failure),
    begin: () => 0,
    committed: () => {},
    kept: (transaction) => kept.push(transaction),
  })
  await expect(writer.write(() => {})).rejects.toBe(failure)
  expect(kept).toEqual([])
  expect(await writer.write(() => 'claim', true)).toBe('claim')
})

test('while another connection holds the lock, the loop runs on and the write waits', async () => {
  const { writer, insert, names, lock } = await setUp()
  const unlock = lock()
  let written = false
  const write = writer
    .write(() => insert.run('a'))
    .then(() => {
      written = true
    })
  for (let i = 0; i < 20; i++) await sleep(5)
  expect(written).toBe(false)
  unlock()
  await write
  expect(names()).toEqual(['a'])
})

test('a write that has waited too long for the lock is refused, and says that it may be tried again', async () => {
  const { writer, insert, names, lock } = await setUp(100)
  const unlock = lock()
  await expect(writer.write(() => insert.run('a'))).rejects.toMatchObject({
    name: 'BackendError',
    code: 'BACKEND_LOCKED',
    retryable: true,
  })
  unlock()
  await writer.write(() => insert.run('b'))
  expect(names()).toEqual(['b'])
})

test('idle resolves once all is written', async () => {
  const { writer, insert, names, lock } = await setUp()
  await writer.idle()
  const unlock = lock()
  const write = writer.write(() => insert.run('a'))
  setTimeout(unlock, 20)
  await writer.idle()
  expect(names()).toEqual(['a'])
  await write
})
