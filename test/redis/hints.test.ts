import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import type { Backend, JobEvent } from '../../src/port/index.ts'
import { seam } from '../../src/testing/index.ts'
import { type RedisServer, redisServer } from '../setup/redis.ts'
import { work } from './crew.ts'

let server: RedisServer
beforeAll(async () => {
  server = await redisServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** The hint of an id's end. */
async function hintOf(backend: Backend, id: string, submit: () => Promise<unknown>): Promise<JobEvent> {
  const stop = new AbortController()
  for await (const event of backend.events({ notify: 'me' }, stop.signal)) {
    if (event.id === undefined) await submit()
    if (event.id === id) {
      stop.abort()
      return event
    }
  }
  throw new Error('The events ended.')
}

test('the hint of a small end says what it is, of a flow what its last job came to', async () => {
  await using backend = redis({ url: server.url, namespace: 'ends' })
  await using _crew = await work(backend, 'wheel')
  const job = await hintOf(backend, 'a', () => backend.submit([seam.single({ id: 'a', notify: 'me' })]))
  assert.equal(job.ended?.result, '1"done"')
  const flow = await hintOf(backend, 'f', () => backend.submit([seam.chord('f', 3, { notify: 'me' })]))
  assert.equal(flow.ended?.job.id, 'f/body')
})

test('the hint of a large end names it', async () => {
  await using backend = redis({ url: server.url, namespace: 'large' })
  await using _crew = await work(backend, 'wheel')
  const body = `1"${'x'.repeat(3000)}"`
  const event = await hintOf(backend, 'a', () =>
    backend.submit([seam.single({ id: 'a', notify: 'me', body })]),
  )
  assert.deepEqual(event, { id: 'a' })
})

const WHEEL = { worker: 'wheel', queues: [{ name: 'default', weight: 1 }], capacity: 5, lease: 60_000 }

/** A consumer whose take waits at the server, as one that has nothing to do. */
async function idler(backend: Backend, client: Redis, namespace: string) {
  const consumer = await backend.consume(WHEEL)
  const taken = consumer.take(5, AbortSignal.timeout(10_000))
  while ((await client.zcard(`{${namespace}#0}:i:default`)) === 0);
  return { consumer, taken }
}

test('a worker that has nothing to do is sent the job itself', async () => {
  await using backend = redis({ url: server.url, namespace: 'sent' })
  const client = new Redis(server.url)
  const { consumer, taken } = await idler(backend, client, 'sent')
  await backend.submit([seam.single({ id: 'a' })])
  const [delivery] = await taken
  const hold = await client.hget('{sent#0}:a:wheel', 'a')
  assert.match(hold!, /^1\.p/)
  assert.deepEqual(await consumer.finish([seam.outcome(delivery!, seam.SUCCEEDED)]), ['applied'])
  await consumer[Symbol.asyncDispose]()
  await client.quit()
})

test('a job whose message got lost is found by the worker that holds it', async () => {
  await using backend = redis({ url: server.url, namespace: 'unheard' })
  const client = new Redis(server.url)
  const { consumer, taken } = await idler(backend, client, 'unheard')
  const listeners = String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
  const last = Math.max(...[...listeners.matchAll(/^id=(\d+) /gm)].map(([, id]) => Number(id)))
  const other = new Redis(server.url)
  await other.ssubscribe('{unheard#0}:w:wheel')
  // Somebody hears it, but not the worker, whose connection is being made anew.
  await client.client('KILL', 'ID', last)
  await backend.submit([seam.single({ id: 'a' })])
  assert.match((await client.hget('{unheard#0}:a:wheel', 'a'))!, /^1\.p/)
  const [delivery] = await taken
  assert.deepEqual(await consumer.finish([seam.outcome(delivery!, seam.SUCCEEDED)]), ['applied'])
  await consumer[Symbol.asyncDispose]()
  other.disconnect()
  await client.quit()
})
