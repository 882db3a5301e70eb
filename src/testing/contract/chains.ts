import assert from 'node:assert/strict'
import { chain, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import type { TaskFailedError } from '../../errors.ts'
import { add, door, echo, fail, inc, placesOf, rejection, sum, tasks } from './build.ts'
import { photo } from './schema.ts'
import type { Subject } from './stage.ts'

export const chains: Subject = {
  'rule 1: a chain has an id of its own, and its value is that of its last step': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chain(add.with({ x: 1, y: 2 }), inc, inc))
    assert.equal(flow.status, 'accepted')
    assert.equal(await flow.result(), 5)
    assert.equal(await flow.state(), 'succeeded')
    assert.equal(await (await stage.process()).flow(flow.id).result(), 5)
    assert.equal(await (await stage.process()).job(flow.id).result(), 5)
  },

  'rule 1: every step has an id and a state, also one that is not reached yet': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n * 10
    })
    const flow = await stage.app.enqueue(chain(inc.with(1), slow, inc), { id: 'flow' })
    assert.deepEqual(await placesOf(flow), { 0: 'waiting', 1: 'pending', 2: 'pending' })
    assert.equal(await flow.state(), 'active')
    await stage.worker([...tasks, slow])
    await reached()
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'active', 2: 'pending' })
    assert.equal(await flow.state(), 'active')
    const [first, second, third] = await flow.steps()
    assert.deepEqual([first?.id, first?.task, first?.job?.result], ['flow/0', 'inc', 2])
    assert.deepEqual([second?.task, second?.job?.flow], ['slow', 'flow'])
    assert.deepEqual([third?.task, third?.job], ['inc', undefined])
    open()
    assert.equal(await flow.result(), 21)
    const values = await Promise.all(['0', '1', '2'].map((at) => stage.app.job(`flow/${at}`).result()))
    assert.deepEqual(values, [2, 20, 21])
    assert.deepEqual(await placesOf(flow), { 0: 'succeeded', 1: 'succeeded', 2: 'succeeded' })
  },

  'rule 1: a flow with an id is accepted once': async (stage) => {
    const first = await stage.app.enqueue(chain(inc.with(1), inc), { id: 'flow' })
    const second = await stage.app.enqueue(chain(inc.with(100), inc, inc), { id: 'flow' })
    const third = await stage.app.enqueue(inc.with(100), { id: 'flow' })
    assert.deepEqual([first.status, second.status, third.status], ['accepted', 'duplicate', 'duplicate'])
    await stage.worker(tasks)
    assert.deepEqual(await Promise.all([first.result(), second.result(), third.result()]), [3, 3, 3])
    assert.equal((await second.steps()).length, 2)
  },

  'rule 2: the previous value becomes the input, or fills the fields that are not bound': async (stage) => {
    const size = task('size', (n: number) => ({ x: n, more: true }))
    await stage.worker([...tasks, size])
    const flow = await stage.app.enqueue(chain(inc.with(1), size, add.with({ y: 40 }), inc))
    assert.equal(await flow.result(), 43)
  },

  'rule 2: a bound field is stronger than the previous value': async (stage) => {
    const both = task('both', (_: null) => ({ x: 1, y: 2 }))
    await stage.worker([...tasks, both])
    const careless = add.with({ y: 10 }) as never
    const flow = await stage.app.enqueue(chain(both.with(null), careless))
    assert.equal(await flow.result(), 11)
  },

  'rule 2: a detached step, chain or group ignores the previous value': async (stage) => {
    const pair = task('pair', (n: number) => ({ x: n, y: n, z: n }))
    await stage.worker([...tasks, pair])
    const inner = chain(echo.with({ a: 1 }), echo).detached()
    const members = group([echo.with({ b: 2 }), echo.with([3])]).detached()
    const flow = await stage.app.enqueue(
      group([
        chain(pair.with(9), echo.with({ c: 1 } as never).detached()),
        chain(pair.with(9), inner),
        chain(pair.with(9), members),
      ]),
    )
    assert.deepEqual(await flow.result(), [{ c: 1 }, { a: 1 }, [{ b: 2 }, [3]]])
  },

  'rule 2: a value of any type goes from step to step as it is': async (stage) => {
    await stage.worker(tasks)
    const value = new Map<unknown, unknown>([[new Date(0), [1n, undefined, new Set([new Uint8Array([7])])]]])
    const flow = await stage.app.enqueue(chain(echo.with(value), echo, group([echo, echo]), echo))
    assert.deepStrictEqual(await flow.result(), [value, value])
    for (const odd of [undefined, null, 0, '', false]) {
      assert.deepStrictEqual(await (await stage.app.enqueue(chain(echo.with(odd), echo))).result(), odd)
    }
  },

  'rule 2: an input is checked at the call when it is complete, else where the step runs': async (stage) => {
    const shrink = task('shrink', { input: photo, retry: 5 }, ({ key, width }) => `${key} ${width}`)
    const loose = shrink as unknown as typeof echo
    const partly = shrink.with({ key: 'cat' }) as unknown as typeof echo
    await stage.worker([...tasks, shrink])
    await assert.rejects(stage.app.enqueue(chain(loose.with({ width: 'x' }), echo)), {
      code: 'INVALID_INPUT',
      path: 'input.key',
    })
    await assert.rejects(
      stage.app.enqueue(chain(inc.with(1), loose.with({ width: 'x' }).detached() as never)),
      {
        code: 'INVALID_INPUT',
      },
    )
    assert.deepEqual((await stage.app.jobs()).jobs, [])
    const good = await stage.app.enqueue(chain(echo.with({ width: 2.2 }), partly))
    assert.equal(await good.result(), 'cat 2')
    const bad = await stage.app.enqueue(chain(echo.with({ width: 'wide' }), partly))
    await assert.rejects(bad.result(), { code: 'INVALID_INPUT', task: 'shrink', attempts: 1 })
  },

  'rule 2: a step with some fields bound that is given no object fails at once': async (stage) => {
    await stage.worker(tasks)
    const partly = add.with({ y: 1 }) as unknown as typeof echo
    for (const [value, shown] of [
      [5, '5'],
      ['abc', '"abc"'],
      [[1], 'an array'],
      [undefined, 'undefined'],
    ]) {
      const flow = await stage.app.enqueue(chain(echo.with(value), partly))
      await assert.rejects(flow.result(), (error: TaskFailedError) => {
        assert.deepEqual([error.code, error.attempts, error.task], ['INVALID_INPUT', 1, 'add'])
        return error.message.includes(`got ${shown}.`)
      })
    }
  },

  'rule 3: after a final failure later steps are skipped, with its id, and the result rejects': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chain(echo.with('broken'), fail, inc, group([inc, inc]), sum), {
      id: 'flow',
    })
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual(
      [error.name, error.code, error.id, error.task, error.attempts, error.message],
      ['TaskFailedError', 'TASK_FAILED', 'flow/1', 'fail', 1, 'fail (flow/1): broken'],
    )
    assert.match(error.stack!, /build\.[jt]s/)
    assert.equal(await flow.state(), 'failed')
    const steps = await flow.steps()
    assert.deepEqual(
      steps.map(({ state, cause }) => (cause ? [state, cause] : state)),
      ['succeeded', 'failed', ...Array(4).fill(['skipped', 'flow/1'])],
    )
    assert.equal(await stage.app.job('flow/2').state(), 'unknown')
  },

  'rule 3: the first, the last and the only step may fail': async (stage) => {
    await stage.worker(tasks)
    const flows = await stage.app.enqueue([
      chain(fail.with('first'), inc, inc),
      chain(echo.with('last'), echo, fail),
      chain(fail.with('only')),
    ])
    const errors = (await Promise.all(flows.map((flow) => rejection(flow.result())))) as Error[]
    assert.deepEqual(
      errors.map(({ message }) => message.split(': ').at(-1)),
      ['first', 'last', 'only'],
    )
    assert.deepEqual(await placesOf(flows[0]), { 0: 'failed', 1: 'skipped', 2: 'skipped' })
    assert.deepEqual(await placesOf(flows[1]), { 0: 'succeeded', 1: 'succeeded', 2: 'failed' })
  },

  'rule 4: a step that is retried, put off or handed back neither loses nor doubles the rest': async (
    stage,
  ) => {
    const { through, reached } = door()
    const runs: string[] = []
    let held = true
    const shaky = task('shaky', { retry: { from: 0 } }, async (n: number, { attempt }) => {
      runs.push(`shaky ${attempt}`)
      if (attempt === 1) throw new Error('once')
      if (held) await through()
      return n + 1
    })
    const last = task('last', (n: number) => {
      runs.push('last')
      return n
    })
    const worker = await stage.worker([inc, shaky, last])
    const flow = await stage.app.enqueue(chain(inc.with(1), shaky, last))
    await reached()
    await worker.stop()
    held = false
    await stage.worker([inc, shaky, last])
    assert.equal(await flow.result(), 3)
    assert.deepEqual(runs, ['shaky 1', 'shaky 2', 'shaky 2', 'last'])
  },

  'rule 6: a chain of nothing is refused, and a chain of one is that one': async (stage) => {
    assert.throws(() => (chain as (...steps: never[]) => unknown)(), {
      name: 'UsageError',
      code: 'EMPTY_CHAIN',
    })
    await stage.worker(tasks)
    const [one, inner, broken] = await stage.app.enqueue([
      chain(inc.with(1)),
      chain(chain(chain(inc.with(1)))),
      chain(fail.with('no')),
    ])
    assert.deepEqual(await Promise.all([one.result(), inner.result()]), [2, 2])
    await assert.rejects(broken.result(), { code: 'TASK_FAILED', task: 'fail', attempts: 1 })
  },

  'rule 6: an empty group in a chain passes [] on': async (stage) => {
    await stage.worker(tasks)
    const flows = await stage.app.enqueue([
      chain(group([]), sum),
      chain(inc.with(1), group([]), sum),
      chain(inc.with(1), group([])),
      chain(group([]), group([]), echo),
      chain(group([]), group([echo, sum])),
    ])
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [0, 0, [], [], [[], 0]])
  },

  'rule 7: nested chains mean the same as flat ones': async (stage) => {
    await stage.worker(tasks)
    const flat = chain(inc.with(1), inc, inc, inc)
    const nested = chain(chain(inc.with(1), inc), chain(inc, chain(inc)))
    const [a, b] = await stage.app.enqueue([flat, nested])
    assert.deepEqual([await a.result(), await b.result()], [5, 5])
    assert.equal((await b.steps()).length, 4)
  },

  'rule 7: an inner chain keeps its handlers': async (stage) => {
    const told: unknown[] = []
    const tell = task('tell', ({ message }: { message: string }) => void told.push(message))
    await stage.worker([...tasks, tell])
    const inner = chain(echo, fail).onError(tell)
    const flow = await stage.app.enqueue(chain(echo.with('inner'), inner, inc))
    await rejection(flow.result())
    await stage.until('the handler to run', () => told.length > 0)
    assert.deepEqual(told, ['inner'])
  },

  'a chain of a thousand steps runs to its end': async (stage) => {
    await stage.worker(tasks)
    const rest = Array.from({ length: 999 }, () => inc)
    const flow = await stage.app.enqueue(chain(inc.with(0), ...rest))
    assert.equal(await flow.result(), 1000)
    const steps = await flow.steps()
    assert.equal(steps.length, 1000)
    assert.ok(steps.every(({ state }) => state === 'succeeded'))
  },

  'a chain that is built step by step runs as any other, up to a depth': async (stage) => {
    await stage.worker(tasks)
    const built = (length: number) => {
      let flow = chain(inc.with(0))
      for (let i = 1; i < length; i++) flow = chain(flow, inc)
      return flow
    }
    const flow = await stage.app.enqueue(built(100))
    assert.equal(await flow.result(), 100)
    await assert.rejects(stage.app.enqueue(built(20_000)), {
      name: 'UsageError',
      code: 'FLOW_TOO_LARGE',
      message: /nested deeper than 100/,
    })
  },
}
