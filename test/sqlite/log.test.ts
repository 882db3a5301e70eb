import { pbkdf2 } from 'node:crypto'
import { expect, test } from 'vitest'
import { connect } from '../../src/drivers/sqlite/connection.ts'
import { createSync } from '../../src/drivers/sqlite/log.ts'
import { check } from '../../src/drivers/sqlite/url.ts'
import { testFolder } from './folder.ts'

const { fresh } = testFolder()

/** `fast` 0: no disk is, so every sync goes to the thread pool. */
async function setUp(fast?: number) {
  const path = fresh()
  const { db } = await connect(check({ path }))
  return { db, sync: createSync(path, path, fast) }
}

const durable = (sync: ReturnType<typeof createSync>) =>
  new Promise<unknown>((resolve) => sync.durable(resolve))

test.each([
  ['fast', undefined],
  ['slow', 0],
])('on a %s disk all who ask at once share a sync, and all are answered', async (_, fast) => {
  const { db, sync } = await setUp(fast)
  for (let i = 0; i < 20; i++) {
    const answers = await Promise.all([durable(sync), durable(sync), durable(sync)])
    expect(answers).toEqual([undefined, undefined, undefined])
  }
  const last = durable(sync)
  await sync.close()
  expect(await last).toBe(undefined)
  db.close()
})

test('on a slow disk the loop runs on, also for who asks while a sync is under way', async () => {
  const { db, sync } = await setUp(0)
  const order: string[] = []
  const first = durable(sync).then(() => order.push('first'))
  const second = durable(sync).then(() => order.push('second'))
  order.push('meanwhile')
  await Promise.all([first, second])
  expect(order).toEqual(['meanwhile', 'first', 'second'])
  await sync.close()
  db.close()
})

test('a thread pool that is busy for long holds up no sync', async () => {
  const { db, sync } = await setUp(0)
  let busy = 8
  const work = Array.from(
    { length: busy },
    () =>
      new Promise<void>((resolve) => {
        pbkdf2('secret', 'salt', 500_000, 64, 'sha512', () => {
          busy--
          resolve()
        })
      }),
  )
  expect(await durable(sync)).toBe(undefined)
  expect(busy).toBeGreaterThan(0)
  await Promise.all(work)
  await sync.close()
  db.close()
})

test('a log that can not be synced says so', async () => {
  const sync = createSync('/nowhere/at/all.db', 'all.db')
  expect(await durable(sync)).toMatchObject({ name: 'BackendError', code: 'BACKEND_ERROR' })
  await sync.close()
})
