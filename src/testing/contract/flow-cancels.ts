import assert from 'node:assert/strict'
import { chain, chord, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import type { TaskFailedError } from '../../errors.ts'
import { DAY, HOUR, SECOND } from '../conformance/build.ts'
import { door, echo, fail, inc, placesOf, rejection, sum, tasks } from './build.ts'
import type { Subject } from './stage.ts'

export const flowCancels: Subject = {
  'rule 27: cancel() of a flow: waiting members are cancelled, body and handlers don’t run': async (
    stage,
  ) => {
    let ran = 0
    const never = task('never', () => void ran++)
    const flow = await stage.app.enqueue(
      chord([never.with(1), never.with(2)], never)
        .onError(never)
        .onSuccess(never),
    )
    const other = await stage.process()
    assert.equal(await other.flow(flow.id).cancel(), 'cancelled')
    await assert.rejects(flow.result(), {
      name: 'TaskFailedError',
      code: 'CANCELLED',
      id: flow.id,
      message: `flow (${flow.id}): cancelled`,
    })
    assert.equal(await flow.state(), 'cancelled')
    assert.deepEqual(await placesOf(flow), { '0.0': 'cancelled', '0.1': 'cancelled', 1: 'cancelled' })
    await stage.worker([never, inc])
    await (await stage.app.enqueue(inc.with(1))).result()
    await stage.sweep()
    assert.equal(ran, 0)
  },

  'rule 27: running members are told by their signals, and their own success is still recorded': async (
    stage,
  ) => {
    const deaf = door()
    const { through, reached } = door()
    const listening = task('listening', (_: null, { signal }) => through(signal))
    const stubborn = task('stubborn', async () => {
      await deaf.through()
      return 'done'
    })
    await stage.worker([listening, stubborn, echo])
    const flow = await stage.app.enqueue(chain(group([listening.with(null), stubborn.with(null)]), echo))
    await reached()
    await deaf.reached()
    assert.equal(await flow.cancel(), 'cancelling')
    await stage.until('the first to end', async () => (await placesOf(flow))['0.0'] === 'cancelled')
    assert.deepEqual(await placesOf(flow), { '0.0': 'cancelled', '0.1': 'active', 1: 'cancelled' })
    assert.equal(await flow.state(), 'active')
    deaf.open()
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.equal(error.code, 'CANCELLED')
    assert.deepEqual(await placesOf(flow), { '0.0': 'cancelled', '0.1': 'succeeded', 1: 'cancelled' })
    assert.equal(await stage.app.job(`${flow.id}/0.1`).result(), 'done')
  },

  'rule 27: a step that succeeds under the cancel is the last one': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', () => through())
    await stage.worker([slow, ...tasks])
    const flow = await stage.app.enqueue(chain(slow.with(null), echo, echo))
    await reached()
    await flow.cancel()
    open()
    await assert.rejects(flow.result(), { code: 'CANCELLED' })
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'cancelled', 2: 'cancelled' })
  },

  'rule 27: it reaches nested flows at any depth': async (stage) => {
    const { through, reached } = door()
    const slow = task('slow', (_: null, { signal }) => through(signal))
    await stage.worker([slow, echo], { concurrency: 1 })
    const deep = chord([chain(slow.with(null), group([echo, echo])), group([slow.with(null)])], echo)
    const flow = await stage.app.enqueue(chain(group([group([deep]), chain(deep, echo)]), echo))
    await reached()
    assert.equal(await flow.cancel(), 'cancelling')
    await rejection(flow.result())
    assert.deepEqual(new Set(Object.values(await placesOf(flow))), new Set(['cancelled']))
    assert.equal((await flow.settled()).length, 12)
  },

  'rule 27: cancel() of a flow is idempotent, and a flow that has ended stays as it ended': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chain(inc.with(1), inc), { delay: '1h' })
    assert.deepEqual([await flow.cancel(), await flow.cancel()], ['cancelled', 'final'])
    const [good, bad] = await stage.app.enqueue([chain(inc.with(1)), chain(fail.with('no'), inc)])
    await Promise.allSettled([good.result(), bad.result()])
    assert.deepEqual([await good.cancel(), await bad.cancel()], ['final', 'final'])
    assert.deepEqual([await good.state(), await bad.state()], ['succeeded', 'failed'])
    assert.equal(await stage.app.flow('nobody').cancel(), 'unknown')
  },

  'cancel() of one member fails its flow as any failure does': async (stage) => {
    const told: unknown[] = []
    const tell = task('tell', ({ code }: { code: string }) => void told.push(code))
    const member = inc.with(1).options({ queue: 'nowhere' })
    const flow = await stage.app.enqueue(chord([member, inc.with(2)], sum).onError(tell))
    assert.equal(await stage.app.job(`${flow.id}/0.0`).cancel(), 'cancelled')
    await stage.worker([...tasks, tell])
    await assert.rejects(flow.result(), { code: 'CANCELLED', task: 'inc' })
    assert.equal(await flow.state(), 'failed')
    await stage.until('the handler to run', () => told.length > 0)
    assert.deepEqual(told, ['CANCELLED'])
  },

  'rule 29: a flow’s records stay together, counted from its end on': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', { timeout: false }, async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const flow = await stage.app.enqueue(chain(inc.with(1), slow, inc), { keep: '1h' })
    await reached()
    await stage.advance(5 * HOUR)
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'active', 2: 'pending' })
    open()
    assert.equal(await flow.result(), 3)
    await stage.advance(HOUR - 5 * SECOND)
    assert.equal(await flow.result(), 3)
    assert.equal(await stage.app.job(`${flow.id}/0`).state(), 'succeeded')
    await stage.advance(10 * SECOND)
    assert.equal(await flow.state(), 'unknown')
    assert.equal(await stage.app.job(`${flow.id}/0`).state(), 'unknown')
    assert.deepEqual(await flow.steps(), [])
    assert.equal(await flow.tree(), undefined)
    await assert.rejects(flow.result(), { code: 'NOT_KEPT' })
  },

  'rule 29: a failed flow is kept as long as failed jobs are, with its members': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(group([inc.with(1), fail.with('no')]))
    await rejection(flow.result())
    await stage.advance(13 * DAY)
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'failed' })
    await stage.advance(DAY + SECOND)
    assert.equal(await flow.state(), 'unknown')
  },

  'rule 29: keep 0 works: the body gets its list, and the flow leaves no record': async (stage) => {
    const lists: unknown[] = []
    const note = task('note', (list: unknown) => void lists.push(list))
    await stage.worker([...tasks, note])
    const flow = await stage.app.enqueue(chain(group([inc.with(1), inc.with(2)]), group([echo]), note), {
      keep: 0,
    })
    await stage.until('the flow to end', async () => {
      await stage.sweep()
      return (await flow.state()) === 'unknown'
    })
    assert.deepEqual(lists, [[[2, 3]]])
    await assert.rejects(flow.result(), { code: 'NOT_KEPT' })
    assert.deepEqual((await stage.app.jobs()).jobs, [])
  },

  'rule 29: with keep 0 a handler still learns what has failed': async (stage) => {
    const told: unknown[] = []
    const tell = task('tell', ({ message }: { message: string }) => void told.push(message))
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(fail.with('no'), inc).onError(tell.options({ queue: 'slow' })),
      {
        keep: 0,
      },
    )
    await stage.until('the flow to end', async () => (await flow.state()) !== 'active')
    await stage.advance(DAY)
    await stage.worker([tell], { queues: ['slow'] })
    await stage.until('the handler to run', () => told.length > 0)
    assert.deepEqual(told, ['no'])
    await stage.until('the record to go', async () => {
      await stage.sweep()
      return (await stage.app.jobs()).jobs.length === 0
    })
  },
}
