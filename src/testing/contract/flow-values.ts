import assert from 'node:assert/strict'
import { chain, chord, chunks, group, map } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { HOUR, SECOND } from '../conformance/build.ts'
import { add, door, echo, fail, inc, placesOf, rejection, sum, tasks } from './build.ts'
import type { Subject } from './stage.ts'

export const flowValues: Subject = {
  'rule 30: a flow is a value: the same one may be enqueued many times, and stand in many others': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const one = inc.with(1)
    const pair = group([one, one])
    const value = chain(group([pair, pair, chain(pair, sum)]), echo)
    const before = JSON.stringify(value)
    const flows = await stage.app.enqueue([value, value, chord([value, one], echo)])
    const result = [[2, 2], [2, 2], 4]
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [result, result, [result, 2]])
    assert.equal(JSON.stringify(value), before)
    assert.ok(Object.isFrozen(value) && Object.isFrozen(value.onError(echo)))
    assert.deepEqual(await (await stage.app.enqueue(value)).result(), result)
  },

  'rule 30: producer and worker in one process, or in two, come to the same': async (stage) => {
    const inline = await stage.process()
    await stage.worker(tasks, {}, inline)
    const value = chain(map(inc, [1, 2, 3]), group([sum, echo]))
    for (const app of [inline, stage.app, await stage.process()]) {
      assert.deepEqual(await (await app.enqueue(value)).result(), [9, [2, 3, 4]])
    }
  },

  'map() gives each input to a copy of the step': async (stage) => {
    await stage.worker(tasks)
    const flows = await stage.app.enqueue([
      map(inc, [1, 2, 3]),
      map(chain(inc, inc), [1, 2]),
      map(add.with({ x: 10 }), [{ y: 1 }, { y: 2 }]),
      map(chord([inc.with(0).detached() as never, inc as never], sum) as never as typeof inc, [5]),
      map(inc, []),
    ])
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [
      [2, 3, 4],
      [3, 4],
      [11, 12],
      [7],
      [],
    ])
  },

  'chunks() gives lists of a size to the step': async (stage) => {
    await stage.worker(tasks)
    const total = task('total', (list: number[]) => list.reduce((a, b) => a + b, 0))
    await stage.worker([total], { queues: ['total'] })
    const step = total.options({ queue: 'total' })
    const flow = await stage.app.enqueue(chain(chunks(step, [1, 2, 3, 4, 5], 2), sum))
    assert.equal(await flow.result(), 15)
    assert.equal((await flow.steps()).length, 4)
    assert.deepEqual(await (await stage.app.enqueue(chunks(step, [], 2))).result(), [])
  },

  'a flow may cross queues, and each step has options of its own': async (stage) => {
    const where = task('where', (_: unknown, { queue, headers, attempt }) => [queue, headers.tenant, attempt])
    await stage.worker([where], { queues: ['a', 'b', 'default'] })
    const flow = await stage.app.enqueue(
      group([
        where.with(1).options({ queue: 'a', priority: 7 }),
        chain(where.with(1), where.options({ queue: 'b', headers: { tenant: 'own' } })),
        where.with(1),
      ]),
      { headers: { tenant: 'all' } },
    )
    assert.deepEqual(await flow.result(), [
      ['a', 'all', 1],
      ['b', 'all', 1],
      ['default', 'all', 1],
    ])
    assert.equal((await flow.steps())[0]?.job?.priority, 7)
  },

  'options of the call hold for every step, and are stronger than the steps’ own': async (stage) => {
    const flow = await stage.app.enqueue(
      chain(inc.with(1).options({ priority: 1 }), inc, fail.options({ retry: 3 })),
      { queue: 'call', priority: 4, retry: { attempts: 2, from: 0 } },
    )
    await stage.worker(tasks, { queues: ['call'] })
    await assert.rejects(flow.result(), { attempts: 2 })
    assert.deepEqual(
      (await flow.steps()).map(({ job }) => [job?.queue, job?.priority]),
      Array(3).fill(['call', 4]),
    )
  },

  'the call’s delay and expiry hold for the start of the flow, a step’s own for that step': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(inc.with(1).options({ delay: '1s' }), inc.options({ delay: '1h' }), inc),
      { delay: '2h' },
    )
    assert.deepEqual(await placesOf(flow), { 0: 'scheduled', 1: 'pending', 2: 'pending' })
    await stage.advance(HOUR)
    assert.deepEqual(await placesOf(flow), { 0: 'scheduled', 1: 'pending', 2: 'pending' })
    await stage.advance(HOUR + SECOND)
    await stage.until('the second step', async () => (await placesOf(flow))[1] === 'scheduled')
    await stage.advance(HOUR + SECOND)
    assert.equal(await flow.result(), 4)
  },

  'a flow that begins with nothing to do waits for its delay, and expires, all the same': async (stage) => {
    await stage.worker([inc])
    const value = chain(group([group([]), chain(group([]))]), echo.options({ queue: 'later' }))
    const [delayed, expiring] = [
      await stage.app.enqueue(value, { delay: '1h' }),
      await stage.app.enqueue(value, { expires: '1m' }),
    ]
    assert.deepEqual(
      [await placesOf(delayed), await placesOf(expiring)],
      [{ 1: 'scheduled' }, { 1: 'waiting' }],
    )
    await stage.advance(61 * SECOND)
    await assert.rejects(expiring.result(), { code: 'EXPIRED', task: 'echo' })
    await stage.advance(HOUR)
    await stage.worker([echo], { queues: ['later'] })
    assert.deepEqual(await delayed.result(), [[], []])
  },

  'a step that expires fails its flow': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(inc.with(1), inc.options({ queue: 'nowhere', expires: '1m' }), inc),
    )
    await stage.until('the second step', async () => (await placesOf(flow))[1] === 'waiting')
    await stage.advance(61 * SECOND)
    await assert.rejects(flow.result(), { code: 'EXPIRED' })
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'expired', 2: 'skipped' })
  },

  'a handler knows the flow that its job belongs to, and may look at it': async (stage) => {
    const seen: unknown[] = []
    const look = task('look', async (_: null, { flow, id }) => {
      seen.push([flow, id, await stage.app.flow(flow!).state()])
    })
    await stage.worker([look])
    await (await stage.app.enqueue(chain(look.with(null)), { id: 'flow' })).result()
    assert.deepEqual(seen, [['flow', 'flow/0', 'active']])
  },

  'tree() shows chains, groups, steps and handlers as they were declared, with their states': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(
        group([inc.with(1), chain(inc.with(1), inc)]),
        sum.onSuccess(echo),
        fail,
        inc.onError(echo),
      ).onError(echo),
      { id: 'flow' },
    )
    await rejection(flow.result())
    await stage.until('the handlers to run', async () => {
      const tree = await flow.tree()
      return tree?.handlers[0]?.state === 'succeeded' && tree.children[1]?.handlers[0]?.state === 'succeeded'
    })
    interface Node {
      kind: string
      id: string
      task?: string
      state: string
      children: readonly Node[]
      handlers: readonly Node[]
    }
    const draw = ({ kind, id, task, state, children, handlers }: Node): unknown[] => [
      `${kind} ${id.slice(5) || '.'}${task ? ` ${task}` : ''}: ${state}`,
      ...children.map(draw),
      ...handlers.map(draw),
    ]
    assert.deepEqual(draw((await flow.tree())!), [
      'chain .: failed',
      [
        'group 0: succeeded',
        ['step 0.0 inc: succeeded'],
        ['chain 0.1: succeeded', ['step 0.1.0 inc: succeeded'], ['step 0.1.1 inc: succeeded']],
      ],
      ['step 1 sum: succeeded', ['onSuccess 1!success echo: succeeded']],
      ['step 2 fail: failed'],
      ['step 3 inc: skipped', ['onError 3!error echo: skipped']],
      ['onError !error echo: succeeded'],
    ])
  },

  'a job is a flow of one step to whoever asks for it as such': async (stage) => {
    await stage.worker(tasks)
    const job = await stage.app.enqueue(inc.with(1), { id: 'job' })
    const flow = stage.app.flow('job')
    assert.deepEqual(await flow.settled(), [{ id: 'job', task: 'inc', state: 'succeeded', value: 2 }])
    assert.deepEqual(
      (await flow.steps()).map(({ id, task, state }) => ({ id, task, state })),
      [{ id: 'job', task: 'inc', state: 'succeeded' }],
    )
    assert.equal((await flow.tree())?.kind, 'step')
    assert.equal(await job.result(), 2)
  },

  'a flow that nobody knows has no steps, and waiting for it ends at once': async ({ app }) => {
    const flow = app.flow('nobody')
    assert.deepEqual(await flow.steps(), [])
    assert.equal(await flow.tree(), undefined)
    await assert.rejects(flow.settled(), { code: 'UNKNOWN_JOB' })
    await assert.rejects(flow.result(), { code: 'UNKNOWN_JOB' })
  },

  'a group of more than 10,000 members is refused, and so is a flow of more than 20,000 jobs': async ({
    app,
  }) => {
    const large = { name: 'UsageError', code: 'FLOW_TOO_LARGE' }
    const one = inc.with(1)
    const members = (count: number) => Array.from({ length: count }, () => one)
    await assert.rejects(app.enqueue(group(members(10_001))), { ...large, message: /10001 members.*10000/ })
    const thousands = group(members(9000))
    await assert.rejects(app.enqueue(group([thousands, thousands, thousands])), {
      ...large,
      message: /20000 jobs/,
    })
    const nothing = group(Array.from({ length: 300 }, () => group([])))
    await assert.rejects(app.enqueue(group(Array.from({ length: 300 }, () => nothing))), large)
    const heavy = echo.with('x'.repeat(900_000))
    await assert.rejects(app.enqueue(group(Array.from({ length: 18 }, () => heavy))), {
      ...large,
      message: /16000000 bytes/,
    })
    assert.deepEqual((await app.jobs()).jobs, [])
  },

  'an inner value over the payload limit is refused at the call, a result over it fails the step': async (
    stage,
  ) => {
    const app = await stage.process({ payloadLimit: 2000 })
    await assert.rejects(app.enqueue(chain(inc.with(1), echo.with('x'.repeat(3000)).detached())), {
      code: 'PAYLOAD_TOO_LARGE',
    })
    const { through, open } = door()
    open()
    const big = task('big', async () => {
      await through()
      return 'x'.repeat(3000)
    })
    await stage.worker([big], {}, app)
    const flow = await stage.app.enqueue(chain(big.with(null), echo))
    await assert.rejects(flow.result(), { code: 'PAYLOAD_TOO_LARGE' })
    assert.deepEqual(await placesOf(flow), { 0: 'failed', 1: 'skipped' })
  },
}
