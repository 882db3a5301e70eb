import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { redis } from '../../src/drivers/redis/index.ts'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { Outbox, Store } from '../../src/port/index.ts'
import { chord, HOUR, SECOND, single, singles } from '../../src/testing/conformance/build.ts'
import { anyRedis } from '../setup/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-outbox-'))
const server = await anyRedis()
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const stores: Record<string, (namespace: string) => Store> = {
  memory: (namespace) => memory(`outbox-${namespace}`),
  SQLite: (namespace) => sqlite({ path: join(folder, `${namespace}.db`) }),
  Redis: (namespace) => redis({ url: server.url, namespace: `outbox-${process.pid}-${namespace}` }),
}
const queues = [{ name: 'default', weight: 1 }]
const ids = ({ entries }: Outbox) => entries.map(({ id }) => id)
let names = 0

describe.each(Object.entries(stores))('the outbox of %s', (_, open) => {
  const fresh = () => `n${++names}`

  test('begins with what waits, and gets what becomes waiting through any handle', async () => {
    const namespace = fresh()
    await using store = open(namespace)
    await using other = open(namespace)
    await store.submit([single({ id: 'before' }), single({ id: 'later', due: { in: HOUR } })])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['before'])
    await other.submit([single({ id: 'after' })])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['after'])
  })

  test('shows a ticket again that was held and not sent, and never one that was sent', async () => {
    await using store = open(fresh())
    await store.submit(singles('a', 3))
    const held = await store.outbox(2, 10 * SECOND)
    expect(ids(held)).toEqual(['a0', 'a1'])
    expect(ids(await store.outbox(10, 10 * SECOND))).toEqual(['a2'])
    await store.sent([held.entries[1]!])
    await store.sent([held.entries[1]!])
    await store.control.shiftClock(11 * SECOND)
    expect(ids(await store.outbox(10, 10 * SECOND))).toEqual(['a0', 'a2'])
    await store.control.shiftClock(22 * SECOND)
    const again = await store.outbox(10, SECOND)
    expect(ids(again)).toEqual(['a0', 'a2'])
    await store.sent(again.entries)
    await store.control.shiftClock(33 * SECOND)
    expect(ids(await store.outbox(10, SECOND))).toEqual([])
  })

  test('drops a ticket whose job was taken meanwhile, and gets a new one for a job that is handed back', async () => {
    await using store = open(fresh())
    expect(ids(await store.outbox(10, SECOND))).toEqual([])
    await store.submit(singles('a', 3))
    await using worker = await store.consume({ worker: 'w', queues, capacity: 10, lease: 15 * SECOND })
    const [first] = await worker.claim(2)
    expect(ids(await store.outbox(10, SECOND))).toEqual(['a2'])
    await worker.finish([{ delivery: first!, ran: 1, end: { kind: 'back' } }])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['a0'])
  })

  test('promotes what is due, and says when the next will be', async () => {
    await using store = open(fresh())
    await store.submit([
      single({ id: 'soon', due: { in: 5 * SECOND } }),
      single({ id: 'late', due: { in: HOUR } }),
    ])
    const before = await store.outbox(10, SECOND)
    expect(ids(before)).toEqual([])
    expect(before.nextDue).toBeGreaterThan(4 * SECOND)
    expect(before.nextDue).toBeLessThanOrEqual(5 * SECOND)
    await store.control.shiftClock(6 * SECOND)
    const after = await store.outbox(10, SECOND)
    expect(ids(after)).toEqual(['soon'])
    expect(after.nextDue).toBeGreaterThan(HOUR - 10 * SECOND)
  })

  test('gets a ticket for what is retried, was lost with its worker, and is released by a flow', async () => {
    await using store = open(fresh())
    await store.submit([single({ id: 'a' })])
    await store.sent((await store.outbox(10, SECOND)).entries)
    const options = { queues, capacity: 10, lease: 15 * SECOND }
    const worker = await store.consume({ worker: 'w', ...options })
    const [first] = await worker.claim(1)
    await worker.finish([{ delivery: first!, ran: 1, end: { kind: 'again', delay: SECOND, counts: true } }])
    await store.control.shiftClock(2 * SECOND)
    const retried = await store.outbox(10, SECOND)
    expect(ids(retried)).toEqual(['a'])
    await store.sent(retried.entries)
    await worker.claim(1)
    await worker[Symbol.asyncDispose]()
    expect(ids(await store.outbox(10, SECOND))).toEqual(['a'])
    await using last = await store.consume({ worker: 'v', ...options })
    const [again] = await last.claim(1)
    await last.finish([
      { delivery: again!, ran: 1, end: { kind: 'final', state: 'failed', result: '1"no"' } },
    ])
    await store.control.retry(['a'])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['a'])
    await last.claim(1)
    await store.submit([chord('f', 1)])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['f/0'])
    const [member] = await last.claim(1)
    await last.finish([
      { delivery: member!, ran: 1, end: { kind: 'final', state: 'succeeded', result: '1"well"' } },
    ])
    expect((await store.outbox(10, SECOND)).entries).toHaveLength(1)
  })

  test('is kept no longer when nobody asked for it in an hour, until it is asked for', async () => {
    await using store = open(fresh())
    await store.outbox(10, SECOND)
    await store.submit([single({ id: 'a' })])
    await store.control.shiftClock(2 * HOUR)
    await store.sweep(10)
    await store.submit([single({ id: 'b' })])
    expect(ids(await store.outbox(10, SECOND))).toEqual(['a', 'b'])
  })

  test('is read in pages, which end when there is no more', async () => {
    await using store = open(fresh())
    await store.submit(singles('a', 130))
    expect(ids(await store.outbox(100, SECOND))).toHaveLength(100)
    expect(ids(await store.outbox(100, SECOND))).toHaveLength(30)
    expect(ids(await store.outbox(100, SECOND))).toEqual([])
  })
})
