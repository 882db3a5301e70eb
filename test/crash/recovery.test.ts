import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, now, openStage } from './stage.ts'

const { quick } = tasksOf()

describe.each(backends)('a killed worker, on %s', (backend) => {
  // The least lease, where housekeeping has to hurry, at several moments between two rounds of it.
  test.each([
    [500, 0],
    [500, 200],
    [500, 400],
    [500, 600],
    [2000, 0],
  ])('its jobs run elsewhere within two leases of %i ms (killed %i ms later)', async (lease, later) => {
    await using stage = await openStage(backend)
    const jobs = await stage.app.enqueue([1, 2, 3, 4, 5].map(() => quick.with({ ms: 600_000, on: 'first' })))
    const first = await stage.worker('first', { lease })
    await first.saw({ did: 'run' }, 5)
    const second = await stage.worker('second', { lease })
    await sleep(later)
    first.signal('SIGKILL')
    const killed = now()
    const last = await second.saw({ did: 'run' }, 5)
    expect(last.at - killed).toBeLessThan(2 * lease)
    for (const job of jobs) {
      await job.result()
      expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1, crashes: 1 })
    }
  })
})
