import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { seam } from '../../src/testing/index.ts'
import { type WatchedRedis, watchedRedis } from '../setup/sentinel.ts'
import { work } from './crew.ts'

let watched: WatchedRedis
beforeAll(async () => {
  watched = await watchedRedis()
})
afterAll(() => watched[Symbol.asyncDispose]())

test('a master that is killed is followed to its successor, and every job that was replicated ends', async () => {
  const settings = { url: watched.url, namespace: 'shop', timeout: 15_000 }
  await using backend = redis(settings)
  await using other = redis(settings)
  const [before, after] = [seam.singles('a', 2_000), seam.singles('b', 100)]
  await backend.submit(before)
  await watched.replicated()
  await using crew = await work(other, 'wheel')
  await crew.ended(50)
  await watched.master.kill()
  assert.ok(crew.applied.size < before.length, 'Expected the master to be killed at work.')
  assert.ok((await backend.submit(after)).every(({ status }) => status === 'accepted'))
  const ids = [...before, ...after].map(({ jobs }) => jobs[0]!.id)
  const open = async () => (await backend.records.get(ids)).filter((record) => record?.state !== 'succeeded')
  while ((await open()).length > 0) await backend.sweep(500)
  // Once each, but for ends that the master had told nobody but us: they are lost with it, and run again.
  const twice = [...crew.applied.values()].filter((times) => times > 1).length
  assert.ok(twice < before.length / 2, `${twice} jobs ended twice.`)
})
