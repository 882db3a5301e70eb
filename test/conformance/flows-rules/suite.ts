import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { App } from '../../../src/app.ts'
import type { FlowHandle } from '../../../src/client/flow-handle.ts'
import { chain, type Flow, group, map } from '../../../src/core/flow.ts'
import { type Context, task } from '../../../src/core/task.ts'
import type { Backend } from '../../../src/port/index.ts'
import { openStage } from '../../../src/testing/contract/stage.ts'

const TIMEOUT = 120_000
const WAIT = { timeout: '60s' }

type Work = (input: unknown, context: Context) => unknown

/** The place of a step in its flow. */
const placeOf = ({ id }: Context) => id.slice(id.indexOf('/') + 1)

/** What a step results in tells where it ran, and on what. */
const outputOf = (input: unknown, context: Context) => `${placeOf(context)}(${JSON.stringify(input)})`

/** A flow with every kind of part, all of whose steps run this. */
function everyPart(work: Work): {
  readonly flow: Flow<string>
  readonly steps: number
  readonly tasks: Tasks
} {
  const step = task('step', { retry: 1 }, async (input: unknown, context) => {
    await work(input, context)
    return outputOf(input, context)
  })
  const told = task('told', (_: unknown) => {})
  const chord = chain(group([step, step]).onError(told), step)
  const first = group([
    step.with(1),
    chain(step.with(2), group([]), step, group([step, chain(step, step)])),
    group([]),
  ])
  const flow = chain(
    first.onError(told).onSuccess(told),
    chord,
    group([step.onError(told), chord, chain(chord, step)]),
    group([]),
    step,
  )
  return { flow: flow.onError(told).onSuccess(told), steps: 18, tasks: [step, told] }
}
type Tasks = Parameters<App['worker']>[0]['tasks']

/**
 * What the rules say of a flow at every one of its places and moments.
 *
 * @param reach - pairs of places that fail are tried up to this distance
 */
export function flowRules(open: (namespace: string) => Backend | Promise<Backend>, reach: number): void {
  test('a flow that failed anywhere, again and elsewhere, is retried to the same value', {
    timeout: TIMEOUT,
  }, async () => {
    await using stage = await openStage(open, 30_000)
    /** By the name that a flow and its retries share. */
    const broken = new Map<string, ReadonlySet<string>>()
    const runs = new Map<string, string[]>()
    const { flow, steps, tasks } = everyPart((_, context) => {
      const { name = '' } = context.headers
      runs.set(name, [...(runs.get(name) ?? []), placeOf(context)])
      if (broken.get(name)?.has(placeOf(context))) throw new Error('broken')
    })
    await stage.worker(tasks, { concurrency: 20 })
    const value = await (await stage.app.enqueue(flow, { headers: { name: 'sound' } })).result()
    const places = runs.get('sound')!
    assert.equal(places.length, steps)

    /** Fails twice as it is, then at the last place only, then no more. */
    async function failAt(...wrong: string[]) {
      const name = wrong.join(' and ')
      const done = new Set<string>()
      broken.set(name, new Set(wrong))
      let flowNow: FlowHandle = await stage.app.enqueue(flow, { headers: { name } })
      for (const still of [wrong, wrong.slice(-1), []]) {
        const steps = await flowNow.settled(WAIT)
        if ((await flowNow.state()) === 'succeeded') break
        for (const { id, state } of steps)
          if (state === 'succeeded') done.add(id.slice(flowNow.id.length + 1))
        broken.set(name, new Set(still))
        runs.set(name, [])
        flowNow = await flowNow.retry()
        await flowNow.settled(WAIT)
        const twice = runs.get(name)!.filter((place) => done.has(place))
        assert.deepEqual(twice, [], `Expected what succeeded in ${name} not to run again.`)
      }
      assert.equal(await flowNow.result(WAIT), value, name)
      assert.ok((await flowNow.steps()).every(({ state }) => state === 'succeeded'))
    }
    await Promise.all(places.map((place) => failAt(place)))
    for (const [i, place] of places.entries()) {
      await Promise.all(places.slice(i + 1, i + 1 + reach).map((other) => failAt(place, other)))
    }
  })

  test('a flow that is cancelled at any moment stops there, and is retried to the same value', {
    timeout: TIMEOUT,
  }, async () => {
    await using stage = await openStage(open, 30_000)
    const runs = new Map<string, number>()
    const { flow, steps, tasks } = everyPart(async (_, context) => {
      const { name = '', at, deaf } = context.headers
      const nth = runs.get(name) ?? 0
      runs.set(name, nth + 1)
      if (String(nth) !== at) return
      assert.equal(await stage.app.flow(context.flow!).cancel(), 'cancelling')
      if (deaf === 'no') await aborted(context.signal)
    })
    await stage.worker(tasks, { concurrency: 20 })
    const value = await (await stage.app.enqueue(flow)).result()

    async function cancelAt(at: number, deaf: 'yes' | 'no') {
      const name = `${at} ${deaf}`
      const cancelled = await stage.app.enqueue(flow, { headers: { name, at: String(at), deaf } })
      const outcomes = await cancelled.settled(WAIT)
      assert.ok(outcomes.every(({ state }) => state === 'succeeded' || state === 'cancelled'))
      // The last step of all may succeed in spite of it.
      const last = at === steps - 1 && deaf === 'yes'
      assert.equal(await cancelled.state(), last ? 'succeeded' : 'cancelled', name)
      for (const { job, kind } of (await cancelled.tree())!.handlers) {
        assert.equal(job, undefined, `Expected ${kind} of ${name} not to run.`)
      }
      if (last) return
      await assert.rejects(cancelled.result(WAIT), { code: 'CANCELLED' })
      assert.equal(await (await cancelled.retry()).result(WAIT), value, name)
    }
    const moments = Array.from({ length: steps }, (_, at) => at)
    await Promise.all(moments.flatMap((at) => [cancelAt(at, 'yes'), cancelAt(at, 'no')]))
  })

  test('10,000 members and a body: all run once, and the list is read in a few pages', {
    timeout: TIMEOUT,
  }, async () => {
    await using stage = await openStage(open, 60_000)
    let reads = 0
    const home = await stage.process({}, ({ verb, args: [ids] }) => {
      if (verb === 'records' && (typeof ids === 'string' || (Array.isArray(ids) && ids.length > 1))) reads++
      return undefined
    })
    let runs = 0
    const member = task('member', (n: number) => {
      runs++
      return n * 2
    })
    let bodies = 0
    const body = task('body', (list: readonly number[]) => {
      bodies++
      return list.every((value, i) => value === i * 2) && list.length
    })
    const size = 10_000
    await stage.worker([member, body], { concurrency: 500 }, home)
    const inputs = Array.from({ length: size }, (_, i) => i)
    const flow = await stage.app.enqueue(chain(map(member, inputs), body))
    assert.equal(await flow.result(WAIT), size)
    assert.deepEqual([runs, bodies], [size, 1])
    assert.ok(reads > 0 && reads <= 25, `Expected ten pages of slots and of results, got ${reads} reads.`)
    const steps = await flow.steps()
    assert.equal(steps.length, size + 1)
    assert.ok(steps.every(({ state }) => state === 'succeeded'))
  })
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const end = () => reject(new Error('aborted'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
