import assert from 'node:assert/strict'
import { chain, chord } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { BackendError, type TaskFailedError } from '../../errors.ts'
import { SECOND } from '../conformance/build.ts'
import { door, echo, inc, placesOf, rejection, tasks } from './build.ts'
import { cutOff, type Outage } from './outage.ts'
import type { Subject } from './stage.ts'

export const flowLosses: Subject = {
  'rule 4: a step whose worker is lost neither loses nor doubles the rest': async (stage) => {
    const { through, reached, open } = door()
    const runs: number[] = []
    const outage = await cutOff(stage)
    const slow = task('slow', async (n: number) => {
      await through()
      return n * 10
    })
    const last = task('last', (n: number) => {
      runs.push(n)
      return n
    })
    await stage.worker([slow], { lease: '15s', concurrency: 1, queues: ['slow'] }, outage.app)
    await stage.worker([inc, last])
    const flow = await stage.app.enqueue(chain(inc.with(1), slow.options({ queue: 'slow' }), last))
    await reached()
    outage.begin()
    await stage.advance(15 * SECOND + 1)
    await stage.worker([task('slow', (n: number) => n * 100)], { queues: ['slow'] })
    assert.equal(await flow.result(), 200)
    open()
    outage.end()
    await stage.until('the late finish to be refused', () =>
      stage.logs.some(({ message }) => /late finish refused/.test(message)),
    )
    assert.equal(await flow.result(), 200)
    assert.deepEqual(runs, [200])
  },

  'rule 5: that a step succeeded and that the next is queued is one act, whatever becomes of the call':
    async (stage) => {
      const cut = new BackendError('BACKEND_UNAVAILABLE', 'cut', { retryable: true })
      const runs = new Map<string, number>()
      const note = task('note', (n: number, { id }) => {
        runs.set(id, (runs.get(id) ?? 0) + 1)
        return n + 1
      })
      const home = await stage.process({}, ({ verb, nth }) => {
        if (verb !== 'finish') return undefined
        return [{ lose: cut }, { fail: cut }, { repeat: true } as const][nth % 3]
      })
      await stage.worker([note], {}, home)
      const flow = await stage.app.enqueue(chain(note.with(0), note, note, note, note, note))
      assert.equal(await flow.result(), 6)
      assert.deepEqual(new Set(runs.values()), new Set([1]))
      assert.equal(runs.size, 6)
    },

  'rule 25: a member whose worker is lost runs again, and the body once': async (stage) => {
    const { through, reached } = door()
    const outage = await cutOff(stage)
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([slow], { lease: '15s', concurrency: 1, queues: ['slow'] }, outage.app)
    const flow = await stage.app.enqueue(chord([slow.with(1).options({ queue: 'slow' }), inc.with(1)], echo))
    await reached()
    await stage.worker(tasks)
    outage.begin()
    await stage.advance(15 * SECOND + 1)
    await stage.worker([task('slow', (n: number) => n * 10)], { queues: ['slow'] })
    assert.deepEqual(await flow.result(), [10, 2])
    outage.end()
  },

  'rule 25: a member that loses its third worker is a failure, and nothing stalls': async (stage) => {
    const outages: Outage[] = []
    const never = task('never', () => new Promise<never>(() => {}))
    const flow = await stage.app.enqueue(
      chord([never.with(null), inc.with(1).options({ queue: 'other' })], echo),
    )
    for (let lost = 1; lost <= 3; lost++) {
      const outage = await cutOff(stage)
      outages.push(outage)
      await stage.worker([never], { lease: '15s', concurrency: 1 }, outage.app)
      await stage.until('it to be taken', async () => (await placesOf(flow))['0.0'] === 'active')
      outage.begin()
      await stage.advance(15 * SECOND + 1)
    }
    await stage.worker(tasks, { queues: ['default', 'other'] })
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual([error.code, error.id], ['WORKER_LOST', `${flow.id}/0.0`])
    for (const outage of outages) outage.end()
  },

  'rule 28: a member that runs twice counts once': async (stage) => {
    const { through, reached, open } = door()
    const outage = await cutOff(stage)
    const bodies: unknown[] = []
    const body = task('body', (list: readonly unknown[]) => void bodies.push(list))
    const slow = task('slow', async () => {
      await through()
      return 'late'
    })
    await stage.worker([slow], { lease: '15s', concurrency: 1, queues: ['slow'] }, outage.app)
    const other = door()
    const held = task('held', () => other.through())
    await stage.worker([held, body])
    const flow = await stage.app.enqueue(
      chord([slow.with(null).options({ queue: 'slow' }), held.with(null), held.with(null)], body),
    )
    await reached()
    await other.reached(2)
    outage.begin()
    await stage.advance(15 * SECOND + 1)
    await stage.worker([task('slow', () => 'elsewhere')], { queues: ['slow'] })
    await stage.until('it to run elsewhere', async () => (await placesOf(flow))['0.0'] === 'succeeded')
    open()
    outage.end()
    await stage.until('the late finish to be refused', () =>
      stage.logs.some(({ message }) => /late finish refused/.test(message)),
    )
    assert.equal(await flow.state(), 'active')
    assert.deepEqual(bodies, [])
    other.open()
    await flow.result()
    assert.deepEqual(bodies, [['elsewhere', undefined, undefined]])
  },
}
