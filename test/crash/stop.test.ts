import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, now, openStage } from './stage.ts'

const { quick } = tasksOf()
const GRACE = 1000

describe.each(backends)('a worker that is asked to stop under load, on %s', (backend) => {
  test('takes no more, finishes what it can in its grace, hands back the rest uncounted, and exits with 0', async () => {
    await using stage = await openStage(backend)
    const slow = await stage.app.enqueue([1, 2, 3, 4].map(() => quick.with({ ms: 600_000, on: 'first' })))
    const short = await stage.app.enqueue(Array.from({ length: 200 }, () => quick.with({ ms: 100 })))
    const first = await stage.worker('first', { concurrency: 12, grace: GRACE, lease: '15s' })
    await first.saw({ did: 'run' }, 40)
    first.signal('SIGTERM')
    const asked = now()
    expect(await first.exited()).toBe(0)
    expect(now() - asked).toBeLessThan(GRACE + 1000)

    const journal = stage.journal()
    const told = journal.findIndex(({ did }) => did === 'signal')
    expect(journal.slice(told).filter(({ did }) => did === 'ask')).toEqual([])
    const ends = journal.filter(({ answer }) => answer === 'applied')
    expect(
      ends
        .filter(({ end }) => end === 'back')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(slow.map(({ id }) => id).sort())
    // At once: the lease of 15 s has nothing to do with it.
    for (const job of slow) {
      expect(await job.info()).toMatchObject({ state: 'waiting', attempt: 1, crashes: 0, attempts: [] })
    }
    const started = new Set(journal.filter(({ did }) => did === 'run').map(({ id }) => id))
    for (const { id } of short) {
      expect(await stage.app.job(id).state()).toBe(started.has(id) ? 'succeeded' : 'waiting')
    }
    expect(await stage.app.workers()).toEqual([])

    await stage.worker('second', { concurrency: 50 })
    for (const job of [...slow, ...short]) {
      await job.result()
      expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1, crashes: 0 })
    }
  })

  test('hands everything back at the second signal', async () => {
    await using stage = await openStage(backend)
    const job = await stage.app.enqueue(quick.with({ ms: 600_000 }))
    const worker = await stage.worker('first', { grace: '10m', lease: '15s' })
    await worker.saw({ did: 'run' })
    worker.signal('SIGTERM')
    await worker.saw({ did: 'log', message: 'worker stopping' })
    expect(await job.state()).toBe('active')
    worker.signal('SIGTERM')
    const asked = now()
    expect(await worker.exited()).toBe(0)
    expect(now() - asked).toBeLessThan(1000)
    expect(await job.info()).toMatchObject({ state: 'waiting', attempt: 1, crashes: 0, attempts: [] })
  })

  test('loses nothing when it is killed while it stops', async () => {
    await using stage = await openStage(backend)
    const job = await stage.app.enqueue(quick.with({ ms: 600_000, on: 'first' }))
    const first = await stage.worker('first', { grace: '10m' })
    await first.saw({ did: 'run' })
    first.signal('SIGTERM')
    await first.saw({ did: 'log', message: 'worker stopping' })
    first.signal('SIGKILL')
    await stage.worker('second')
    await job.result()
    expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1, crashes: 1 })
  })
})
