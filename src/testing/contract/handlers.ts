import assert from 'node:assert/strict'
import type { Failure } from '../../core/failure.ts'
import { chain, chord, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { door, echo, fail, inc, rejection, sum, tasks } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** A worker for the usual tasks and two handlers, and what the handlers were told. */
async function told(stage: Stage) {
  const failures: Failure[] = []
  const values: unknown[] = []
  const onError = task('onError', (failure: Failure) => void failures.push(failure))
  const onSuccess = task('onSuccess', (value: unknown) => void values.push(value))
  const worker = await stage.worker([...tasks, onError, onSuccess])
  /** Until no job of any kind is left to run. */
  const idle = () =>
    stage.until('all jobs to end', async () => {
      const counts = (await stage.app.queues()).map((queue) => queue.counts)
      return counts.every(({ waiting = 0, active = 0, retrying = 0 }) => waiting + active + retrying === 0)
    })
  return { failures, values, onError, onSuccess, worker, idle }
}

export const handlers: Subject = {
  'rule 14: the handlers of a group fire once per group, when it is decided': async (stage) => {
    const { failures, values, onError, onSuccess, idle } = await told(stage)
    const good = await stage.app.enqueue(
      group([inc.with(1), inc.with(2)])
        .onError(onError)
        .onSuccess(onSuccess),
    )
    assert.deepEqual(await good.result(), [2, 3])
    await idle()
    assert.deepEqual([values, failures], [[[2, 3]], []])
    const members = [fail.with('a'), inc.with(1), fail.with('b')] as const
    const bad = await stage.app.enqueue(group(members).onError(onError).onSuccess(onSuccess))
    await rejection(bad.result())
    await idle()
    assert.equal(values.length, 1)
    assert.deepEqual(
      failures.map(({ code, failures }) => [code, failures?.map(({ path, message }) => [path, message])]),
      [
        [
          'FLOW_FAILED',
          [
            [[0], 'a'],
            [[2], 'b'],
          ],
        ],
      ],
    )
  },

  'rule 14: with failFast the error handler fires at the first failure, and not again': async (stage) => {
    const { through, reached, open } = door()
    const late = task('late', { retry: 1 }, async () => {
      await through()
      throw new Error('late')
    })
    const { failures, onError, idle } = await told(stage)
    await stage.worker([late], { queues: ['late'] })
    const members = [late.with(null).options({ queue: 'late' }), fail.with('early')] as const
    const flow = await stage.app.enqueue(group(members, { failFast: true }).onError(onError))
    await reached()
    await stage.until('the handler to run', () => failures.length > 0)
    assert.equal(failures[0]?.message, 'early')
    open()
    await flow.settled()
    await idle()
    assert.equal(failures.length, 1)
  },

  'rule 19: an error handler runs once per flow, for a failure of a member, deep within or of the body':
    async (stage) => {
      const { failures, onError, idle } = await told(stage)
      const flows = await stage.app.enqueue([
        chord([fail.with('member'), inc.with(1)], sum).onError(onError),
        chord(
          [group([chain(inc.with(1), chord([inc.with(1), fail.with('deep')], sum).detached())])],
          echo,
        ).onError(onError),
        chord([inc.with(1)], fail).onError(onError),
        chain(echo.with('step'), fail, inc).onError(onError),
        chord([inc.with(1)], chain(echo, group([fail, echo]))).onError(onError),
      ])
      await Promise.all(flows.map((flow) => rejection(flow.result())))
      await idle()
      assert.deepEqual(failures.map(({ message }) => message).sort(), ['2', '2', 'deep', 'member', 'step'])
      assert.deepEqual(new Set(failures.map(({ failures }) => failures?.length)), new Set([1]))
    },

  'rule 19: the handlers of inner and outer parts each run once, the inner one first queued': async (
    stage,
  ) => {
    const { failures, onError, idle } = await told(stage)
    const inner = chain(inc.with(1), fail.onError(onError), inc).onError(onError)
    const flow = await stage.app.enqueue(group([inner, inc.with(1)]).onError(onError))
    await rejection(flow.result())
    await idle()
    assert.deepEqual(
      failures.map(({ message, failures }) => [message, failures?.[0]?.path]),
      Array(3).fill(['2', [0, 1]]),
    )
  },

  'rule 19: an error handler is a job of its own: it is retried, and its failure changes nothing': async (
    stage,
  ) => {
    let runs = 0
    const flaky = task('flaky', { retry: { attempts: 3, from: 0 } }, (_: Failure, { flow, id }) => {
      runs++
      assert.deepEqual([flow, id], ['flow', 'flow/!error'])
      if (runs < 3) throw new Error('not yet')
      return 'told'
    })
    await stage.worker([...tasks, flaky])
    const flow = await stage.app.enqueue(chain(fail.with('no'), inc).onError(flaky), { id: 'flow' })
    await assert.rejects(flow.result(), { message: /: no$/ })
    await stage.until('the handler to succeed', async () => {
      return (await flow.tree())?.handlers[0]?.state === 'succeeded'
    })
    assert.equal(runs, 3)
    assert.equal(await stage.app.job('flow/!error').result(), 'told')
    assert.equal(await flow.state(), 'failed')
  },

  'what an error handler is told: code, name, message, stack, and each failure': async (stage) => {
    class Refused extends Error {
      override readonly name = 'Refused'
      readonly code = 'E_REFUSED'
    }
    const refuse = task('refuse', { retry: { attempts: 2, from: 0 } }, () => {
      throw new Refused('refused')
    })
    const { failures, onError } = await told(stage)
    await stage.worker([refuse], { queues: ['refuse'] })
    const flow = await stage.app.enqueue(
      chain(refuse.with(null).options({ queue: 'refuse' }), echo).onError(onError),
    )
    await rejection(flow.result())
    await stage.until('the handler to run', () => failures.length > 0)
    const { stack, failures: all, ...failure } = failures[0]!
    assert.deepEqual(failure, {
      code: 'TASK_FAILED',
      name: 'Refused',
      message: 'refused',
      errorCode: 'E_REFUSED',
    })
    assert.match(stack!, /refused/)
    assert.deepEqual(
      all?.map(({ id, path, task, attempts }) => ({ id, path, task, attempts })),
      [{ id: `${flow.id}/0`, path: [0], task: 'refuse', attempts: 2 }],
    )
  },

  'a job has handlers too: its result, its states and its retry are those of a job': async (stage) => {
    const { failures, values, onError, onSuccess, idle } = await told(stage)
    const [good, bad] = await stage.app.enqueue([
      inc.with(1).onError(onError).onSuccess(onSuccess),
      fail.with('no').onError(onError).onSuccess(onSuccess),
    ])
    assert.equal(await good.result(), 2)
    await assert.rejects(bad.result(), { task: 'fail', attempts: 1, message: /: no$/ })
    await idle()
    assert.deepEqual([values, failures.map(({ message }) => message)], [[2], ['no']])
    const info = (await bad.info())!
    assert.deepEqual([info.task, info.state, info.error?.message], ['fail', 'failed', 'no'])
    assert.deepEqual([await good.state(), await bad.state()], ['succeeded', 'failed'])
    const again = await bad.retry()
    await rejection(again.result())
    await idle()
    assert.equal(failures.length, 2)
  },

  'a success handler gets the value, beside what follows': async (stage) => {
    const { values, onSuccess, idle } = await told(stage)
    const flow = await stage.app.enqueue(
      chain(inc.with(1).onSuccess(onSuccess), group([inc, inc]).onSuccess(onSuccess), sum).onSuccess(
        onSuccess,
      ),
    )
    assert.equal(await flow.result(), 6)
    await idle()
    assert.deepEqual(
      values.sort((a, b) => String(a).length - String(b).length),
      [2, 6, [3, 3]],
    )
  },

  'the flow goes on whatever its success handlers do': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chain(inc.with(1).onSuccess(fail), inc).onSuccess(fail))
    assert.equal(await flow.result(), 3)
    assert.equal(await flow.state(), 'succeeded')
  },

  'a handler may have its input, or some of it, and options of its own': async (stage) => {
    const seen: unknown[] = []
    const note = task('note', (input: { to: string; message?: string }, { queue }) => {
      seen.push([input.to, input.message, queue])
    })
    await stage.worker([...tasks, note], { queues: ['default', 'urgent'] })
    const partly = note.with({ to: 'me' }) as unknown as typeof echo
    const flow = await stage.app.enqueue(
      group([
        fail
          .with('a')
          .onError(note.with({ to: 'a', message: 'mine' }).options({ queue: 'urgent' }).detached()),
        fail.with('b').onError(partly),
      ]),
    )
    await rejection(flow.result())
    await stage.until('both to run', () => seen.length === 2)
    assert.deepEqual(seen.sort(), [
      ['a', 'mine', 'urgent'],
      ['me', 'b', 'default'],
    ])
  },

  'the handlers of the empty group, and of a chain of nothing but that': async (stage) => {
    const { values, onSuccess, idle } = await told(stage)
    await (await stage.app.enqueue(group([]).onSuccess(onSuccess))).result()
    await (await stage.app.enqueue(chain(group([]).onSuccess(onSuccess), group([])))).result()
    await idle()
    assert.deepEqual(values, [[], []])
  },
}
