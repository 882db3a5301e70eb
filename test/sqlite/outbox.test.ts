import { expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { HOUR, SECOND, single, singles } from '../../src/testing/conformance/build.ts'
import { testFolder } from './folder.ts'

const { fresh } = testFolder()
const ids = (entries: readonly { readonly id: string }[]) => entries.map(({ id }) => id)

test('the outbox begins with what waits, and gets what becomes waiting through any handle', async () => {
  const path = fresh()
  await using store = sqlite({ path })
  await using other = sqlite({ path })
  await store.submit([single({ id: 'before' }), single({ id: 'later', due: { in: HOUR } })])
  expect(ids(await store.outbox(10, SECOND))).toEqual(['before'])
  await other.submit([single({ id: 'after' })])
  expect(ids(await store.outbox(10, SECOND))).toEqual(['after'])
})

test('a ticket shows again when it was held and not sent, and never once it was sent', async () => {
  await using store = sqlite({ path: fresh() })
  await store.submit(singles('a', 3))
  const held = await store.outbox(2, 10 * SECOND)
  expect(ids(held)).toEqual(['a0', 'a1'])
  expect(ids(await store.outbox(10, 10 * SECOND))).toEqual(['a2'])
  await store.sent([held[1]!])
  await store.sent([held[1]!])
  await store.control.shiftClock(11 * SECOND)
  expect(ids(await store.outbox(10, 10 * SECOND))).toEqual(['a0', 'a2'])
  await store.sent(held)
  await store.control.shiftClock(22 * SECOND)
  expect(ids(await store.outbox(10, SECOND))).toEqual(['a0', 'a2'])
})

test('a ticket whose job was taken meanwhile is dropped, and a job that is handed back gets a new one', async () => {
  await using store = sqlite({ path: fresh() })
  expect(await store.outbox(10, SECOND)).toEqual([])
  await store.submit(singles('a', 3))
  const queues = [{ name: 'default', weight: 1 }]
  await using worker = await store.consume({ worker: 'w', queues, capacity: 10, lease: 15 * SECOND })
  const [first] = await worker.claim(2)
  expect(ids(await store.outbox(10, SECOND))).toEqual(['a2'])
  await worker.finish([{ delivery: first!, ran: 1, end: { kind: 'back' } }])
  expect(ids(await store.outbox(10, SECOND))).toEqual(['a0'])
})

test('an outbox that nobody asked for in an hour is kept no longer, until it is asked for', async () => {
  await using store = sqlite({ path: fresh() })
  await store.outbox(10, SECOND)
  await store.submit([single({ id: 'a' })])
  await store.control.shiftClock(2 * HOUR)
  await store.sweep(10)
  await store.submit([single({ id: 'b' })])
  expect(ids(await store.outbox(10, SECOND))).toEqual(['a', 'b'])
})
