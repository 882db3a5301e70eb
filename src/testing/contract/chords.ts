import assert from 'node:assert/strict'
import { chain, chord, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { BackendError, Discard, type TaskFailedError } from '../../errors.ts'
import { SECOND } from '../conformance/build.ts'
import { add, door, echo, fail, inc, multiply, placesOf, rejection, sum, tasks } from './build.ts'
import type { Subject } from './stage.ts'

const many = (count: number) => Array.from({ length: count }, (_, i) => inc.with(i))

export const chords: Subject = {
  'rule 16: the body is queued exactly once, after all members succeeded, with the ordered list': async (
    stage,
  ) => {
    const bodies: unknown[] = []
    const body = task('body', (list: readonly number[]) => {
      bodies.push(list)
      return list.length
    })
    await stage.worker([inc, body], { concurrency: 20 })
    await stage.worker([inc, body], { concurrency: 20 })
    const flow = await stage.app.enqueue(chord(many(50), body))
    assert.equal(await flow.result(), 50)
    assert.deepEqual(bodies, [Array.from({ length: 50 }, (_, i) => i + 1)])
  },

  'rule 16: the body is queued exactly once, also when every finish arrives twice or its answer is lost':
    async (stage) => {
      const lost = new BackendError('BACKEND_UNAVAILABLE', 'cut', { retryable: true })
      let bodies = 0
      const body = task('body', (list: readonly number[]) => {
        bodies++
        return list.reduce((a, b) => a + b)
      })
      for (const fault of [{ repeat: true } as const, { lose: lost }]) {
        const home = await stage.process({}, ({ verb, nth }) =>
          verb === 'finish' && (nth % 3 === 1 || 'repeat' in fault) ? fault : undefined,
        )
        await stage.worker([inc, body], { concurrency: 3 }, home)
      }
      const flow = await stage.app.enqueue(chord(many(20), body))
      assert.equal(await flow.result(), 210)
      await stage.sweep()
      assert.equal(bodies, 1)
    },

  'rule 17: with no members the body runs with []': async (stage) => {
    await stage.worker(tasks)
    const flows = await stage.app.enqueue([chord([], echo), chord([], sum), chord([group([])], echo)])
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [[], 0, [[]]])
  },

  'rule 18: after any final failure among the members the body never runs, and every failure is told': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(group([inc.with(1), fail.with('a'), inc.with(2), fail.with('b')]), sum, inc),
    )
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.equal(error.code, 'FLOW_FAILED')
    assert.deepEqual(
      error.failures.map(({ path, message }) => [path, message]),
      [
        [[0, 1], 'a'],
        [[0, 3], 'b'],
      ],
    )
    assert.deepEqual(await placesOf(flow), {
      '0.0': 'succeeded',
      '0.1': 'failed',
      '0.2': 'succeeded',
      '0.3': 'failed',
      1: 'skipped',
      2: 'skipped',
    })
    const causes = (await flow.steps()).flatMap(({ cause }) => cause ?? [])
    assert.deepEqual(new Set(causes), new Set([`${flow.id}/0.1`]))
  },

  'rule 18: it is decided when all members have ended, with failFast at the first failure': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const members = [slow.with(1), fail.with('no')] as const
    const patient = await stage.app.enqueue(chord(members, sum))
    const hasty = await stage.app.enqueue(chord(members, sum, { failFast: true }))
    await reached(2)
    await assert.rejects(hasty.result(), { message: /: no$/ })
    assert.equal(await patient.state(), 'active')
    open()
    await rejection(patient.result())
    await hasty.settled()
    assert.deepEqual(await placesOf(hasty), { '0.0': 'succeeded', '0.1': 'failed', 1: 'skipped' })
  },

  'rule 18: a single member whose slot is filled can not be retried by itself': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chord([fail.with('no'), inc.with(1)], sum))
    await rejection(flow.result())
    await assert.rejects(stage.app.job(`${flow.id}/0.0`).retry(), {
      name: 'UsageError',
      code: 'FLOW_MEMBER',
      message: /app\.flow\(id\)\.retry\(\)/,
    })
    assert.equal(await flow.state(), 'failed')
  },

  'rule 20: a chain as member counts once, and a failure at any of its steps fails the member': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const good = await stage.app.enqueue(chord([chain(inc.with(1), inc, inc), inc.with(1)], echo))
    assert.deepEqual(await good.result(), [4, 2])
    for (const bad of [chain(fail.with('x'), inc), chain(inc.with(1), fail), chain(inc.with(1), fail, inc)]) {
      const flow = await stage.app.enqueue(chord([bad, inc.with(1)], echo))
      const error = (await rejection(flow.result())) as TaskFailedError
      assert.equal(error.task, 'fail')
      assert.equal(error.failures.length, 1)
    }
  },

  'rule 21: a group or chord as member, to any depth: the outer body waits for the inner one': async (
    stage,
  ) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (list: readonly number[]) => {
      await through()
      return list.length
    })
    await stage.worker([...tasks, slow])
    const inner = chord([inc.with(1), chord([inc.with(2), inc.with(3)], slow)], sum)
    const flow = await stage.app.enqueue(chord([inner, group([inc.with(4)]), inc.with(5)], echo))
    await reached()
    await stage.until('the others to end', async () => (await placesOf(flow))['0.2'] === 'succeeded')
    assert.equal((await placesOf(flow))[1], 'pending')
    open()
    assert.deepEqual(await flow.result(), [4, [5], 6])
  },

  'rule 21: an inner failure is the failure of that member': async (stage) => {
    await stage.worker(tasks)
    const inner = chord([inc.with(1), chord([inc.with(1), fail.with('deep')], sum)], sum)
    const flow = await stage.app.enqueue(chord([inner, inc.with(5)], echo))
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual(
      [error.message.split(': ').at(-1), error.failures[0]?.path],
      ['deep', [0, 0, 0, 1, 0, 1]],
    )
    assert.deepEqual(await placesOf(flow), {
      '0.0.0.0': 'succeeded',
      '0.0.0.1.0.0': 'succeeded',
      '0.0.0.1.0.1': 'failed',
      '0.0.0.1.1': 'skipped',
      '0.0.1': 'skipped',
      '0.1': 'succeeded',
      1: 'skipped',
    })
  },

  'rule 22: the body may be a task, chain, group or chord, and each head of it gets the whole list': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const members = [inc.with(1), inc.with(2)] as const
    const flows = await stage.app.enqueue([
      chain(group(members), sum),
      chain(group(members), chain(sum, inc)),
      chain(group(members), group([sum, multiply, echo])),
      chain(group(members), chain(group([sum, multiply]), sum)),
      chain(group(members), group([chain(sum, inc), group([echo, sum])])),
    ])
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [
      5,
      6,
      [5, 6, [2, 3]],
      11,
      [6, [[2, 3], 5]],
    ])
  },

  'rule 23: after a group, the list goes to every member of the next group': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      chain(group([inc.with(1), inc.with(2)]), group([sum, multiply]), group([sum, echo])),
    )
    assert.deepEqual(await flow.result(), [11, [5, 6]])
  },

  'rule 24: a retry is not a completion': async (stage) => {
    const bodies: unknown[] = []
    const body = task('body', (list: readonly number[]) => void bodies.push(list))
    const flaky = task('flaky', { retry: { attempts: 3, from: 0 } }, (n: number, { attempt }) => {
      if (attempt < 3) throw new Error('not yet')
      return n
    })
    await stage.worker([inc, flaky, body])
    const flow = await stage.app.enqueue(chord([flaky.with(1), inc.with(1), flaky.with(3)], body))
    await flow.result()
    assert.deepEqual(bodies, [[1, 2, 3]])
  },

  'rule 26: cancelled, expired, discarded and unknown members are final failures': async (stage) => {
    const gone = task('gone', () => {
      throw new Discard('gone')
    })
    const nobody = task('nobody', () => 1)
    const flow = await stage.app.enqueue(
      chord(
        [
          inc.with(1).options({ queue: 'nowhere' }),
          inc.with(2).options({ queue: 'nowhere', expires: '1m' }),
          gone.with(null),
          nobody.with(null),
        ],
        sum,
      ),
    )
    await stage.worker([inc, gone, sum], { unknownTaskAfter: '30s' })
    await stage.app.job(`${flow.id}/0.0`).cancel()
    await stage.until('the unknown one to be tried', async () => (await placesOf(flow))['0.3'] === 'retrying')
    await stage.advance(61 * SECOND)
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual(
      error.failures.map(({ code }) => code),
      ['CANCELLED', 'EXPIRED', 'DISCARDED', 'UNKNOWN_TASK'],
    )
    assert.deepEqual(await placesOf(flow), {
      '0.0': 'cancelled',
      '0.1': 'expired',
      '0.2': 'failed',
      '0.3': 'failed',
      1: 'skipped',
    })
    assert.equal(await flow.state(), 'failed')
  },

  'expected values of Machinery: the chord of add(1,1), add(2,2), add(5,6) with multiply gives 88': async (
    stage,
  ) => {
    await stage.worker(tasks)
    const members = [add.with({ x: 1, y: 1 }), add.with({ x: 2, y: 2 }), add.with({ x: 5, y: 6 })] as const
    assert.equal(await (await stage.app.enqueue(chord(members, multiply))).result(), 88)
  },

  'expected values of Machinery: the chain of add(2,2), add 5 and 6, multiply by 4 gives 60': async (
    stage,
  ) => {
    const sums = task('sums', ({ numbers, more }: { numbers: number[]; more: number }) =>
      [...numbers, more].reduce((a, b) => a + b),
    )
    const four = task('four', (more: number) => ({ more }))
    const times = task('times', ({ by, n }: { by: number; n: number }) => by * n)
    const named = task('named', (n: number) => ({ n }))
    await stage.worker([...tasks, sums, four, times, named])
    const flow = chain(
      add.with({ x: 2, y: 2 }),
      four,
      sums.with({ numbers: [5, 6] }),
      named,
      times.with({ by: 4 }),
    )
    assert.equal(await (await stage.app.enqueue(flow)).result(), 60)
  },

  'a body over two thousand members gets them all, in order': async (stage) => {
    await stage.worker(tasks, { concurrency: 200 })
    const flow = await stage.app.enqueue(chain(group(many(2000)), echo))
    const values = (await flow.result()) as number[]
    assert.equal(values.length, 2000)
    assert.ok(values.every((value, i) => value === i + 1))
    assert.equal((await flow.steps()).length, 2001)
  },
}
