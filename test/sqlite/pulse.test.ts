import { expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { PulseConnect } from '../../src/port/index.ts'
import { consume, submission, testFolder } from './folder.ts'

const { fresh } = testFolder()
const LEASE = 15_000

async function lineOf(backend: ReturnType<typeof sqlite>, worker: string) {
  const { module, data } = backend.pulse!
  const { connect } = (await import(module)) as { connect: PulseConnect }
  // As it arrives in another thread.
  return connect(structuredClone(data), worker, LEASE)
}

test('a beat keeps what the worker holds, on a connection of its own', async () => {
  await using backend = sqlite({ path: fresh() })
  await backend.submit([submission('a')])
  await using worker = await consume(backend, 'wheel')
  await worker.take(1, new AbortController().signal)
  const line = await lineOf(backend, 'wheel')
  for (let i = 1; i <= 3; i++) {
    await backend.control.shiftClock(i * (LEASE - 1000))
    await line.beat()
    await backend.sweep(100)
    expect((await backend.records.get(['a']))[0]?.state).toBe('active')
  }
  const [{ expires } = { expires: 0 }] = await backend.records.workers()
  expect(expires).toBeGreaterThan(Date.now() + 3 * (LEASE - 1000))
  await line.close()
})

test('a beat of a worker that has lost its lease gives it none', async () => {
  await using backend = sqlite({ path: fresh() })
  await using worker = await consume(backend, 'wheel')
  const line = await lineOf(backend, 'wheel')
  await backend.control.shiftClock(LEASE + 1)
  await backend.sweep(100)
  await line.beat()
  expect(await backend.records.workers()).toEqual([])
  await worker.renew([])
  expect(await backend.records.workers()).toHaveLength(1)
  await line.close()
})
