import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { seam } from '../../src/testing/index.ts'
import { type RedisServer, redisServer } from '../setup/redis.ts'
import { work } from './crew.ts'

let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await redisServer()
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await server[Symbol.asyncDispose]()
})

const at = (user: string) => `redis://${user}@127.0.0.1:${server.port}`

/** The call rejects so, within five seconds, and says nothing of the password. */
async function refused(call: Promise<unknown>, code: string): Promise<Error> {
  const began = performance.now()
  const error = await call.then(
    () => assert.fail(`Expected a rejection with ${code}.`),
    (error: Error) => error,
  )
  assert.equal((error as { code?: string }).code, code, error.message)
  assert.ok(performance.now() - began < 5_000)
  const all = inspect(error, { depth: 20, showHidden: true })
  assert.ok(!all.includes('s3cret'), all)
  return error
}

test('a wrong password is told at the first call, and not by its text', async () => {
  await admin.acl('SETUSER', 'anna', 'on', '>right', '~*', '&*', '+@all')
  await using backend = redis({ url: at('anna:s3cret') })
  await refused(backend.submit([seam.single({ id: 'a' })]), 'BACKEND_AUTH')
  await refused(backend.diagnose(), 'BACKEND_AUTH')
})

test('rights that are missing are told, with what to grant', async () => {
  await admin.acl('SETUSER', 'berta', 'on', '>s3cret', '~other:*', '&*', '+@all')
  await using backend = redis({ url: at('berta:s3cret') })
  const error = await refused(backend.submit([seam.single({ id: 'a' })]), 'BACKEND_AUTH')
  assert.match(error.message, /ACL SETUSER/)
})

test('the rights that docs/redis.md grants are enough', async () => {
  const rights = ['~{millrace#*}:*', '&{millrace#*}:*', '+@all', '-@admin', '-@dangerous', '+info']
  await admin.acl('SETUSER', 'dora', 'on', '>s3cret', ...rights)
  await using backend = redis({ url: at('dora:s3cret') })
  const consumer = await backend.consume({
    worker: 'wheel',
    queues: [{ name: 'default', weight: 1 }],
    capacity: 1,
    lease: 60_000,
  })
  await backend.submit([seam.chord('f', 1)])
  const [delivery] = await consumer.take(1, AbortSignal.timeout(10_000))
  assert.deepEqual(await consumer.finish([seam.outcome(delivery!, seam.SUCCEEDED)]), ['applied'])
  await backend.control.cancel(['f'])
  await backend.sweep(10)
  assert.equal((await backend.records.get(['f']))[0]?.state, 'cancelled')
  assert.deepEqual((await backend.diagnose()).backend.includes('millrace'), true)
  await consumer[Symbol.asyncDispose]()
})

test('without the right to functions all goes on as scripts', async () => {
  await admin.acl('SETUSER', 'emma', 'on', '>s3cret', '~*', '&*', '+@all', '-function')
  await admin.acl('SETUSER', 'fred', 'on', '>s3cret', '~*', '&*', '+@all', '-fcall')
  for (const user of ['emma', 'fred']) {
    await admin.function('FLUSH')
    await using backend = redis({ url: at(`${user}:s3cret`), namespace: user })
    await using crew = await work(backend, 'wheel')
    await backend.submit([seam.chord('f', 3)])
    await crew.ended(4)
    assert.equal((await backend.records.get(['f']))[0]?.state, 'succeeded')
  }
})

test('without the right to publish all goes on, only later', async () => {
  await admin.acl('SETUSER', 'carla', 'on', '>s3cret', '~*', 'resetchannels', '+@all')
  await using quiet = redis({ url: at('carla:s3cret'), namespace: 'quiet' })
  await using loud = redis({ url: server.url, namespace: 'quiet' })
  const consumer = await loud.consume({
    worker: 'wheel',
    queues: [{ name: 'default', weight: 1 }],
    capacity: 1,
    lease: 60_000,
  })
  const waiting = consumer.take(1, AbortSignal.timeout(10_000))
  await quiet.submit([seam.single({ id: 'a' })])
  assert.deepEqual(
    (await waiting).map(({ job }) => job.id),
    ['a'],
  )
  await consumer[Symbol.asyncDispose]()
})

test('a server that is not there is told within the timeout', async () => {
  await using backend = redis({ url: 'redis://127.0.0.1:1', timeout: 500 })
  const error = await refused(backend.submit([seam.single({ id: 'a' })]), 'BACKEND_UNAVAILABLE')
  assert.match(error.message, /127\.0\.0\.1:1/)
  assert.equal((error as { retryable?: boolean }).retryable, true)
})

test('a full server refuses what adds jobs, and what runs is finished', async () => {
  await using backend = redis({ url: server.url, namespace: 'full' })
  await backend.submit(seam.singles('a', 20))
  const consumer = await backend.consume({
    worker: 'wheel',
    queues: [{ name: 'default', weight: 1 }],
    capacity: 20,
    lease: 60_000,
  })
  const signal = AbortSignal.timeout(10_000)
  const held = await consumer.take(10, signal)
  await admin.config('SET', 'maxmemory', '1')
  try {
    await refused(backend.submit([seam.single({ id: 'b' })]), 'BACKEND_FULL')
    const outcomes = held.map((delivery) => seam.outcome(delivery, seam.SUCCEEDED))
    assert.deepEqual(new Set(await consumer.finish(outcomes)), new Set(['applied']))
    assert.equal((await consumer.take(10, signal)).length, 10)
    assert.equal((await backend.records.get(['b']))[0], undefined)
  } finally {
    await admin.config('SET', 'maxmemory', '0')
  }
  assert.deepEqual(await backend.submit([seam.single({ id: 'b' })]), [{ id: 'b', status: 'accepted' }])
  await consumer[Symbol.asyncDispose]()
})

test('settings that would lose jobs are warned of', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await using backend = redis({ url: server.url })
  const { warnings, versions } = await backend.diagnose()
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  assert.match(warnings.join('\n'), /noeviction/)
  assert.match(warnings.join('\n'), /appendonly/)
  assert.match(versions.redis!, /^\d+\./)
})
