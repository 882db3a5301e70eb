import assert from 'node:assert/strict'
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
