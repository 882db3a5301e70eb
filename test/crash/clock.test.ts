import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { ensure } from '../setup/system.ts'
import { tasksOf } from './fixtures/tasks.mjs'
import { type Actor, backends, now, openStage } from './stage.ts'

const { quick, told } = tasksOf()
const HOUR = 3_600_000

const library = execFileSync(ensure('faketime', 'faketime'), ['-f', '+1h', 'printenv', 'LD_PRELOAD'], {
  encoding: 'utf8',
}).trim()

/** A process whose wall clock is off; its timers run on the monotonic clock, as they would. */
const off = (by: string) => ({
  LD_PRELOAD: library,
  FAKETIME: by,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
})

/** Or else the test would show nothing. */
async function expectOff(actor: Actor, by: number): Promise<void> {
  const { message } = await actor.saw({ did: 'up' })
  expect(Math.abs(Number(message) - Date.now() - by)).toBeLessThan(60_000)
}

describe.each(backends)('a worker whose clock is an hour off, on %s', (backend) => {
  test.each([
    ['+1h', HOUR],
    ['-1h', -HOUR],
  ])('(%s) runs what is due to the second, and nothing early', async (by, offset) => {
    await using stage = await openStage(backend)
    const worker = await stage.worker('off', { env: off(by) })
    await expectOff(worker, offset)
    const asked = now()
    const jobs = await Promise.all([
      stage.app.enqueue(quick.with({}), { delay: '1s' }),
      stage.app.enqueue(quick.with({}), { at: Date.now() + 1000 }),
      stage.app.enqueue(quick.with({}), { delay: 1500, priority: 9 }),
    ])
    const minutes = await stage.app.enqueue(quick.with({}), { delay: '30m' })
    for (const [i, { id }] of jobs.entries()) {
      const late = (await worker.saw({ did: 'run', id })).at - asked - (i === 2 ? 1500 : 1000)
      expect(late).toBeGreaterThan(-2)
      expect(late).toBeLessThan(1000)
    }
    expect(await minutes.state()).toBe('scheduled')
  })

  test('takes nothing from those whose clock is right, nor they from it', async () => {
    await using stage = await openStage(backend)
    const names = ['right', 'ahead', 'behind']
    const jobs = await Promise.all(names.map((name) => stage.app.enqueue(told.with({}), { queue: name })))
    const queues = (name: string) => ({ queues: [name, 'shared'], lease: 1000 })
    const right = await stage.worker('right', queues('right'))
    const ahead = await stage.worker('ahead', { ...queues('ahead'), env: off('+1h') })
    const behind = await stage.worker('behind', { ...queues('behind'), env: off('-1h') })
    await expectOff(ahead, HOUR)
    await expectOff(behind, -HOUR)
    const workers = [right, ahead, behind]
    for (const [i, worker] of workers.entries()) await worker.saw({ did: 'run', id: jobs[i]!.id })
    // Three leases and more, through which all three see to each other's.
    const past = await stage.app.enqueue(quick.with({}), { queue: 'shared', delay: 3500 })
    await past.result()
    for (const [i, worker] of workers.entries()) worker.tell(jobs[i]!.id, { by: 'return' })
    for (const [i, job] of jobs.entries()) {
      await job.result()
      expect(await job.info()).toMatchObject({ crashes: 0, attempts: [], attempt: 1 })
      const runs = stage.journal().filter(({ did, id }) => did === 'run' && id === job.id)
      expect(runs.map(({ by }) => by)).toEqual([names[i]])
    }
  })

  test.each(['+1h', '-1h'])('(%s) is found dead within two leases, and finds others so', async (by) => {
    await using stage = await openStage(backend)
    for (const [victim, heir] of [
      ['wrong', 'right'],
      ['right', 'wrong'],
    ] as const) {
      const env = { wrong: { env: off(by) }, right: {} }
      const job = await stage.app.enqueue(quick.with({ ms: 600_000, on: victim }))
      const first = await stage.worker(victim, { lease: 1000, ...env[victim] })
      await first.saw({ did: 'run', id: job.id })
      const second = await stage.worker(heir, { lease: 1000, ...env[heir] })
      first.signal('SIGKILL')
      const killed = now()
      expect((await second.saw({ did: 'run', id: job.id })).at - killed).toBeLessThan(2000)
      await job.result()
      second.signal('SIGKILL')
      await second.exited()
    }
  })
})
