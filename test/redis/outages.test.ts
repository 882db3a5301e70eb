import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import type { Backend, JobState } from '../../src/port/index.ts'
import { seam } from '../../src/testing/index.ts'
import { type RedisServer, redisServer } from '../setup/redis.ts'
import { work } from './crew.ts'
import { openProxy } from './proxy.ts'

let server: RedisServer
const unhandled: unknown[] = []
const note = (error: unknown) => void unhandled.push(error)
beforeAll(async () => {
  process.on('unhandledRejection', note)
  server = await redisServer('--appendonly', 'yes', '--appendfsync', 'always')
})
afterAll(async () => {
  process.off('unhandledRejection', note)
  await server[Symbol.asyncDispose]()
  assert.deepEqual(unhandled, [])
})

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

async function states(backend: Backend, of: readonly string[]): Promise<Set<JobState | string>> {
  return new Set((await backend.records.get(of)).map((record) => record?.state ?? 'unknown'))
}

test('a Redis that is killed and started again loses nothing, and everybody goes on by themselves', async () => {
  const settings = { url: server.url, namespace: 'restart' }
  await using backend = redis(settings)
  await using other = redis(settings)
  await backend.submit(seam.singles('a', 500))
  await using crew = await work(other, 'wheel')
  await crew.ended(50)
  await server.restart()
  const back = performance.now()
  assert.equal((await backend.submit(seam.singles('b', 200))).length, 200)
  assert.ok(performance.now() - back < 5_000)
  await crew.ended(650)
  assert.ok(performance.now() - back < 10_000)
  // What was finished as Redis went down may have been applied without our hearing of it.
  while ((await states(backend, [...ids('a', 500), ...ids('b', 200)])).size > 1) await backend.sweep(500)
  assert.deepEqual(await states(backend, [...ids('a', 500), ...ids('b', 200)]), new Set(['succeeded']))
  assert.ok([...crew.applied.values()].every((times) => times === 1))
})

test('a Redis that reads a large file as it starts answers once it is done, whatever it guesses', async () => {
  // Small keys that take long come first, a large one that does not comes last: the guess is minutes.
  await using slow = await redisServer(
    '--key-load-delay',
    '8000',
    '--loading-process-events-interval-bytes',
    '1024',
  )
  const client = new Redis(slow.url)
  const filler = randomBytes(75).toString('base64')
  for (let i = 0; i < 300; i++) await client.set(`small${i}`, filler)
  await client.select(1)
  await client.set('large', randomBytes(4_000_000))
  await client.save()
  await client.quit()
  await using backend = redis({ url: slow.url, namespace: 'loading' })
  await slow.kill()
  const started = slow.restart()
  assert.equal((await backend.submit(seam.singles('a', 3))).length, 3)
  await started
})

test('connections that are reset again and again lose and double nothing', async () => {
  await using proxy = await openProxy(server.port)
  await using backend = redis({ url: `redis://127.0.0.1:${proxy.port}`, namespace: 'reset' })
  await using crew = await work(backend, 'wheel')
  const all: string[] = []
  for (let round = 0; round < 8; round++) {
    const batch = seam.singles(`r${round}-`, 100)
    all.push(...batch.map(({ jobs }) => jobs[0]!.id))
    const receipts = backend.submit(batch)
    proxy.reset()
    assert.ok((await receipts).every(({ status }) => status === 'accepted'))
  }
  const open = async () => [...(await states(backend, all))].some((state) => state !== 'succeeded')
  while (await open()) await backend.sweep(500)
  assert.ok([...crew.applied.values()].every((times) => times === 1))
})

test('a submission whose answer is lost is sent again and makes one job, also with keep 0', async () => {
  await using proxy = await openProxy(server.port)
  await using backend = redis({ url: `redis://127.0.0.1:${proxy.port}`, namespace: 'answer' })
  await using direct = redis({ url: server.url, namespace: 'answer' })
  await using crew = await work(direct, 'wheel')
  await backend.records.get(['x'])
  const once = seam.single({ id: 'once', keep: { succeeded: 0, failed: 0 } })
  proxy.loseAnswerTo('once')
  assert.deepEqual(await backend.submit([once]), [{ id: 'once', status: 'accepted' }])
  await crew.ended(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual([...crew.applied], [['once', 1]])
})

test('what was taken with an answer that got lost is not lost', async () => {
  await using proxy = await openProxy(server.port)
  await using backend = redis({ url: `redis://127.0.0.1:${proxy.port}`, namespace: 'taken' })
  await using direct = redis({ url: server.url, namespace: 'taken' })
  await direct.submit(seam.singles('a', 5))
  const consumer = await backend.consume({
    worker: 'wheel',
    queues: [{ name: 'default', weight: 1 }],
    capacity: 10,
    lease: 60_000,
  })
  proxy.loseAnswerTo('wheel')
  const signal = AbortSignal.timeout(10_000)
  await assert.rejects(consumer.take(10, signal), { code: 'BACKEND_UNAVAILABLE', retryable: true })
  assert.deepEqual(await states(direct, ids('a', 5)), new Set(['active']))
  const taken = await consumer.take(10, signal)
  assert.deepEqual(taken.map(({ job }) => job.id).sort(), ids('a', 5))
  const outcomes = taken.map((delivery) => seam.outcome(delivery, seam.SUCCEEDED))
  assert.deepEqual(new Set(await consumer.finish(outcomes)), new Set(['applied']))
  await consumer[Symbol.asyncDispose]()
})

test('half-open connections are noticed: a call is answered over a new one, and a subscription stands again', async () => {
  await using proxy = await openProxy(server.port)
  await using backend = redis({ url: `redis://127.0.0.1:${proxy.port}`, namespace: 'half' })
  await backend.records.get(['x'])
  const stop = AbortSignal.timeout(18_000)
  const hints = backend.events({ notify: 'me' }, stop)[Symbol.asyncIterator]()
  assert.deepEqual(await hints.next(), { done: false, value: {} })
  proxy.freeze()
  const again = hints.next()
  // Within the 8 s that a call has.
  assert.deepEqual(await backend.submit([seam.single({ id: 'a' })]), [{ id: 'a', status: 'accepted' }])
  assert.deepEqual(await again, { done: false, value: {} })
})

test('a server that stays silent to a new connection is left for another', async () => {
  await using proxy = await openProxy(server.port)
  await using backend = redis({ url: `redis://127.0.0.1:${proxy.port}`, namespace: 'mute' })
  proxy.mute(1)
  assert.deepEqual(await backend.submit([seam.single({ id: 'a' })]), [{ id: 'a', status: 'accepted' }])
})

test('functions and scripts that the server has forgotten are sent anew', async () => {
  await using backend = redis({ url: server.url, namespace: 'flush' })
  await backend.submit([seam.single({ id: 'a' })])
  const client = new Redis(server.url)
  await client.script('FLUSH')
  await client.function('FLUSH')
  await client.quit()
  await using crew = await work(backend, 'wheel')
  await crew.ended(1)
  assert.deepEqual(await states(backend, ['a']), new Set(['succeeded']))
})

test('nothing that was kept for no time stays', async () => {
  const client = new Redis(server.url)
  await using backend = redis({ url: server.url, namespace: 'nothing' })
  const keep = { succeeded: 0, failed: 0 }
  {
    await using crew = await work(backend, 'wheel')
    await backend.submit(seam.singles('a', 1000, { keep }))
    await backend.submit([seam.chord('f', 20, { keep, member: { keep } })])
    await crew.ended(1021)
    while ((await backend.sweep(500)).moved > 0);
  }
  const left = await client.keys('{nothing#0}:*')
  assert.deepEqual(
    left.filter((key) => !/:u:\d+$/.test(key)),
    ['{nothing#0}:c'],
  )
  for (const key of left.filter((key) => /:u:\d+$/.test(key))) assert.ok((await client.ttl(key)) > 0)
  await client.quit()
})
