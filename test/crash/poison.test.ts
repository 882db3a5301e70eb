import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, openStage, type Stage } from './stage.ts'

const { deadly, odd, quick } = tasksOf()

/** Two worker processes, each started again when it dies, as a supervisor does; until `over`. */
async function supervise(stage: Stage, over: Promise<unknown>): Promise<void> {
  let count = 0
  let done = false
  void over.then(() => {
    done = true
  })
  const serve = async () => {
    while (!done) {
      const actor = stage.start(`worker-${++count}`, { lease: 500, concurrency: 10 })
      await Promise.race([actor.exited(), over])
    }
  }
  await Promise.all([serve(), serve()])
}

describe.each(backends)('a handler that ends its process, on %s', (backend) => {
  test.each(['signal', 'exit', 'rejection'] as const)(
    'by %s runs three times at most and fails, and its hundred neighbours complete',
    async (by) => {
      await using stage = await openStage(backend)
      const before = await stage.app.enqueue(Array.from({ length: 50 }, () => quick.with({ ms: 5 })))
      const poison = await stage.app.enqueue(deadly.with({ by }))
      const after = await stage.app.enqueue(Array.from({ length: 50 }, () => quick.with({ ms: 5 })))
      const all = Promise.allSettled(
        [poison, ...before, ...after].map((job) => job.result({ timeout: '1m' })),
      )
      await supervise(stage, all)

      expect(await poison.info()).toMatchObject({
        state: 'failed',
        crashes: 3,
        attempt: 1,
        error: { code: 'WORKER_LOST' },
        attempts: [1, 2, 3].map(() => ({ error: { code: 'WORKER_LOST' } })),
      })
      const runs = stage.journal().filter(({ did, id }) => did === 'run' && id === poison.id)
      expect(runs).toHaveLength(3)
      for (const job of [...before, ...after]) {
        expect(await job.state()).toBe('succeeded')
      }
    },
  )
})

describe.each(backends)('a handler that ends oddly, on %s', (backend) => {
  test('throwing what is no error is a recorded failure, and the process goes on', async () => {
    await using stage = await openStage(backend)
    const jobs = await stage.app.enqueue([
      odd.with({ what: 'null' }),
      odd.with({ what: 'undefined' }),
      odd.with({ what: 'string' }),
      odd.with({ what: 'late' }),
    ])
    const worker = await stage.worker('first')
    const said = await Promise.all(
      jobs.map((job) => job.result().catch((error) => [error.code, error.message])),
    )
    expect(said).toEqual(
      ['threw null', 'threw undefined', 'threw "a plain string"', 'threw {"a":"thing"}'].map((message, i) => [
        'TASK_FAILED',
        `odd (${jobs[i]!.id}): ${message}`,
      ]),
    )
    const next = await stage.app.enqueue(quick.with({}))
    await next.result()
    expect(stage.journal().filter(({ did }) => did === 'up')).toHaveLength(1)
    worker.signal('SIGTERM')
    expect(await worker.exited()).toBe(0)
  })

  test('a promise that never settles is a failure at its timeout, and its place is free again', async () => {
    await using stage = await openStage(backend)
    const never = await stage.app.enqueue(odd.with({ what: 'never' }), { timeout: '300ms' })
    const next = await stage.app.enqueue(quick.with({}))
    const worker = await stage.worker('first', { concurrency: 1, grace: '5s' })
    await expect(never.result()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await next.result()
    // Nor does it hold up the end of its process.
    worker.signal('SIGTERM')
    expect(await worker.exited()).toBe(0)
  })
})
