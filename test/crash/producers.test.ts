import { describe, expect, test } from 'vitest'
import { randomBy } from '../../scripts/chaos/random.mjs'
import { isFlow, keyOf } from './fixtures/keys.mjs'
import { backends, openStage } from './stage.ts'

const KEYS = 300
const keys = Array.from({ length: KEYS }, (_, i) => keyOf(i))
const jobs = keys.filter((_, i) => !isFlow(i))
const flows = keys.filter((_, i) => isFlow(i))

describe.each(backends)('producers killed while they enqueue, on %s', (backend) => {
  test('what was accepted exists, whole, and the same id again makes no second job', async () => {
    const random = randomBy(2)
    await using stage = await openStage(backend)
    const { app } = stage
    for (let round = 1; round <= 6; round++) {
      // Two at a time with the same ids, as when a client tries again elsewhere.
      const pair = ['a', 'b'].map((name) => stage.producer(`${name}-${round}`, KEYS))
      await Promise.all(
        pair.map(async (producer) => {
          await producer.saw({ did: 'accepted' }, random.between(1, 250))
          producer.signal('SIGKILL')
          await producer.exited()
        }),
      )
      for (const { id } of stage.journal().filter(({ did }) => did === 'accepted')) {
        expect(await app.job(id).state()).not.toBe('unknown')
      }
      for (const id of flows) expect([0, 4]).toContain((await app.flow(id).steps()).length)
    }

    expect(await stage.producer('last', KEYS).exited()).toBe(0)
    const accepted = stage
      .journal()
      .filter(({ did, message }) => did === 'accepted' && message === 'accepted')
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(accepted.length)
    const [queue] = await app.queues()
    expect(queue?.counts).toEqual({ waiting: jobs.length + 3 * flows.length })

    await stage.worker('first')
    for (const id of jobs) await app.job(id).result()
    for (const id of flows) await app.flow(id).result()
    const runs = stage
      .journal()
      .filter(({ did }) => did === 'run')
      .map(({ id }) => id)
    expect(runs).toHaveLength(jobs.length + 4 * flows.length)
    expect(new Set(runs).size).toBe(runs.length)
  })
})
