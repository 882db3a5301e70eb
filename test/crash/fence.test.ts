import { chain, group } from 'millrace'
import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, now, openStage, type Stage, until } from './stage.ts'

const { quick, told, gather } = tasksOf()
const LEASE = 500

const applied = (stage: Stage, id: string) =>
  stage.journal().filter((entry) => entry.id === id && entry.answer === 'applied')
const runs = (stage: Stage, id: string) =>
  stage.journal().filter((entry) => entry.id === id && entry.did === 'run')

describe.each(backends)('a worker that lost its lease, on %s', (backend) => {
  test.each([
    ['runs elsewhere', 'return'],
    ['runs elsewhere', 'throw'],
    ['has ended', 'return'],
    ['waits again', 'return'],
  ] as const)(
    'stopped for three leases, changes nothing when its job %s and its handler would %s',
    async (when, by) => {
      await using stage = await openStage(backend)
      const job = await stage.app.enqueue(told.with({}))
      const first = await stage.worker('first', { lease: LEASE })
      await first.saw({ did: 'run', id: job.id })
      // Every worker sees to lost leases, whatever its queues.
      const queues = [when === 'waits again' ? 'other' : 'default']
      const second = await stage.worker('second', { lease: LEASE, queues })
      const heir = when === 'waits again' ? first : second
      // It is stopped within its handler, so that it finishes before it can hear that its lease is lost.
      first.tell(job.id, { by, progress: 50, block: 2 * LEASE })
      await first.saw({ did: 'block', id: job.id })
      first.signal('SIGSTOP')
      const stopped = now()
      if (when === 'waits again') await until(async () => (await job.state()) === 'waiting', when)
      else await second.saw({ did: 'run', id: job.id })
      if (when === 'has ended') {
        second.tell(job.id, { by: 'return' })
        await job.result()
      }
      await until(() => now() - stopped > 3 * LEASE, 'three leases')

      const before = await job.info()
      first.signal('SIGCONT')
      expect(await first.saw({ did: 'answer', id: job.id })).toMatchObject({ answer: 'stale' })
      await first.saw({ did: 'log', id: job.id, message: 'late finish refused: the lease was lost' })
      // It may take it once more.
      if (when === 'waits again') await first.saw({ did: 'run', id: job.id }, 2)
      else expect(await job.info()).toEqual(before)
      heir.tell(job.id, { by: 'return' })
      const { run } = await job.result()
      expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1, result: { run } })
      expect((await job.info())?.progress).toBeUndefined()
      await heir.saw({ did: 'answer', id: job.id, answer: 'applied' })
      expect(applied(stage, job.id).map((entry) => entry.run)).toEqual([run])

      second.signal('SIGKILL')
      const next = await stage.app.enqueue(quick.with({}))
      await first.saw({ did: 'run', id: next.id })
      await next.result()
    },
  )

  test('a handler that blocks its loop for five leases keeps its job', async () => {
    await using stage = await openStage(backend)
    const lease = 1000
    const job = await stage.app.enqueue(told.with({}))
    const first = await stage.worker('first', { lease })
    const { run } = await first.saw({ did: 'run', id: job.id })
    await stage.worker('second', { lease })
    first.tell(job.id, { by: 'return', block: 5 * lease })
    expect(await job.result()).toEqual({ run })
    expect(runs(stage, job.id)).toHaveLength(1)
    expect(await job.info()).toMatchObject({ crashes: 0, attempts: [] })
    const { message } = await first.saw({ did: 'log', level: 'warn' })
    expect(message).toContain('the event loop stood still')
  })

  test('a handler that blocks its loop for longer than blockedAfter loses its job to another, in two leases more', async () => {
    await using stage = await openStage(backend)
    // Long, beside the second in which the heirs of a lease look round.
    const lease = 3000
    const job = await stage.app.enqueue(told.with({}))
    const first = await stage.worker('first', { lease, blockedAfter: '500ms' })
    await first.saw({ did: 'run', id: job.id })
    const second = await stage.worker('second', { lease })
    first.tell(job.id, { by: 'return', block: 8000 })
    const blocked = await first.saw({ did: 'block', id: job.id })
    const { run, at } = await second.saw({ did: 'run', id: job.id })
    expect(at - blocked.at).toBeLessThan(500 + 2 * lease)
    expect(await first.saw({ did: 'answer', id: job.id })).toMatchObject({ answer: 'stale' })
    second.tell(job.id, { by: 'return' })
    expect(await job.result()).toEqual({ run })
    expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1, crashes: 1, result: { run } })
    await second.saw({ did: 'answer', id: job.id, answer: 'applied' })
    expect(applied(stage, job.id)).toHaveLength(1)
  })
})

describe.each(backends)('a delivery that arrives twice at once, on %s', (backend) => {
  test('has one finish, and what follows it counts once', async () => {
    await using stage = await openStage(backend)
    const members = Array.from({ length: 20 }, (_, i) => quick.with({ ms: i }))
    const flow = await stage.app.enqueue(chain(group(members), gather))
    await stage.worker('first', { twice: true, concurrency: 8 })
    await stage.worker('second', { twice: true, concurrency: 8 })
    const result = (await flow.result()) as { run: string; members: string[] }
    const steps = await flow.steps()
    expect(steps.map(({ state }) => state)).toEqual(Array.from({ length: 21 }, () => 'succeeded'))
    const recorded = steps.map(({ job }) => (job!.result as { run: string }).run)
    expect([...result.members, result.run]).toEqual(recorded)
    // The result is told before the worker is.
    const body = steps.at(-1)!.id
    await until(() => runs(stage, body).length + applied(stage, body).length === 3, 'both runs of the body')
    for (const [i, { id }] of steps.entries()) {
      expect(runs(stage, id)).toHaveLength(2)
      expect(applied(stage, id).map(({ run }) => run)).toEqual([recorded[i]])
    }
  })
})
