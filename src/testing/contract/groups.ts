import assert from 'node:assert/strict'
import { chain, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { BackendError, type TaskFailedError } from '../../errors.ts'
import { add, door, echo, fail, inc, placesOf, rejection, sum, tasks } from './build.ts'
import type { Subject } from './stage.ts'

export const groups: Subject = {
  'rule 8: results stand in the order of declaration, whatever the order of ending': async (stage) => {
    const doors = Array.from({ length: 5 }, () => door())
    const turn = task('turn', async (n: number) => {
      await doors[n]!.through()
      return n
    })
    await stage.worker([turn])
    const flow = await stage.app.enqueue(group(doors.map((_, i) => turn.with(i))))
    for (const i of [3, 0, 4, 2, 1]) {
      await doors[i]!.reached()
      doors[i]!.open()
      await stage.until('this one to end', async () => (await placesOf(flow))[i] === 'succeeded')
    }
    assert.deepEqual(await flow.result(), [0, 1, 2, 3, 4])
  },

  'rule 9: the empty group results in [] at once, without a worker': async (stage) => {
    const flow = await stage.app.enqueue(group([]))
    assert.deepEqual(await flow.result(), [])
    assert.equal(await flow.state(), 'succeeded')
    assert.deepEqual(await flow.settled(), [])
    assert.deepEqual(await flow.steps(), [])
    const nested = await stage.app.enqueue(group([group([]), group([group([])]), chain(group([]))]))
    assert.deepEqual(await nested.result(), [[], [[]], []])
  },

  'rule 10: one member results in a list of one': async (stage) => {
    await stage.worker(tasks)
    const flows = await stage.app.enqueue([
      group([inc.with(1)]),
      group([group([inc.with(1)])]),
      chain(group([inc.with(1)]), echo),
      chain(group([inc.with(1)]), group([echo])),
    ])
    assert.deepEqual(await Promise.all(flows.map((flow) => flow.result())), [[2], [[2]], [2], [[2]]])
  },

  'rule 11: nesting keeps its shape': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      group([
        group([inc.with(1), inc.with(2)]),
        inc.with(3),
        group([group([inc.with(4)]), chain(inc.with(5), inc)]),
        group([]),
      ]),
    )
    assert.deepEqual(await flow.result(), [[2, 3], 4, [[5], 7], []])
  },

  'rule 12: a failed member does not stop its siblings': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const flow = await stage.app.enqueue(group([fail.with('no'), slow.with(1), slow.with(2)]))
    await reached(2)
    await stage.until('the failure', async () => (await placesOf(flow))[0] === 'failed')
    assert.equal(await flow.state(), 'active')
    open()
    await assert.rejects(flow.result(), { code: 'TASK_FAILED' })
    assert.deepEqual(await placesOf(flow), { 0: 'failed', 1: 'succeeded', 2: 'succeeded' })
  },

  'rule 12: with cancelSiblings a failed member cancels the others, waiting ones and running ones': async (
    stage,
  ) => {
    const { through, reached } = door()
    const slow = task('slow', (_: number, { signal }) => through(signal))
    const late = door()
    const failing = task('failing', { retry: 1 }, async () => {
      await late.through()
      throw new Error('no')
    })
    await stage.worker([slow, failing], { concurrency: 2 })
    const members = [slow.with(0), failing.with(null), inc.with(2), inc.with(3)] as const
    const flow = await stage.app.enqueue(chain(group(members, { cancelSiblings: true }), echo))
    await reached()
    late.open()
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual(
      error.failures.map(({ path, code }) => [path, code]),
      [
        [[0, 0], 'CANCELLED'],
        [[0, 1], 'TASK_FAILED'],
        [[0, 2], 'CANCELLED'],
        [[0, 3], 'CANCELLED'],
      ],
    )
    assert.equal(await flow.state(), 'failed')
    assert.deepEqual(await placesOf(flow), {
      '0.0': 'cancelled',
      '0.1': 'failed',
      '0.2': 'cancelled',
      '0.3': 'cancelled',
      1: 'skipped',
    })
  },

  'rule 12: cancelSiblings stays within its group': async (stage) => {
    await stage.worker(tasks)
    const idle = inc.with(1).options({ queue: 'nowhere' })
    const inner = group([fail.with('no'), idle], { cancelSiblings: true })
    const flow = await stage.app.enqueue(group([inner, chain(inc.with(1), inc)]))
    await rejection(flow.result())
    assert.deepEqual(await placesOf(flow), {
      '0.0': 'failed',
      '0.1': 'cancelled',
      '1.0': 'succeeded',
      '1.1': 'succeeded',
    })
  },

  'rule 13: the result rejects with one error that lists every failure by its place': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      group([
        inc.with(1),
        fail.with('first'),
        chain(inc.with(1), group([inc, fail]), sum),
        fail.with('last'),
        inc.with(2),
      ]),
      { id: 'flow' },
    )
    const error = (await rejection(flow.result())) as TaskFailedError
    assert.deepEqual(
      [error.name, error.code, error.id, error.attempts],
      ['TaskFailedError', 'FLOW_FAILED', 'flow', 1],
    )
    assert.match(
      error.message,
      /^flow \(flow\): 3 steps failed: fail \(flow\/1\): first; .*; fail \(flow\/3\): last$/,
    )
    assert.deepEqual(
      error.failures.map(({ id, path, task, code, message, attempts }) => [
        id,
        path,
        task,
        code,
        message,
        attempts,
      ]),
      [
        ['flow/1', [1], 'fail', 'TASK_FAILED', 'first', 1],
        ['flow/2.1.1', [2, 1, 1], 'fail', 'TASK_FAILED', '2', 1],
        ['flow/3', [3], 'fail', 'TASK_FAILED', 'last', 1],
      ],
    )
  },

  'rule 13: settled() tells what became of every member': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(
      group([inc.with(1), fail.with('no'), chain(fail.with('early'), inc), chain(inc.with(1), inc)]),
      { id: 'flow' },
    )
    const told = (await flow.settled()).map(({ error, ...rest }) => ({
      ...rest,
      ...(error && { error: [error.code, error.message] }),
    }))
    assert.deepEqual(told, [
      { id: 'flow/0', task: 'inc', state: 'succeeded', value: 2 },
      { id: 'flow/1', task: 'fail', state: 'failed', error: ['TASK_FAILED', 'no'] },
      { id: 'flow/2.0', task: 'fail', state: 'failed', error: ['TASK_FAILED', 'early'] },
      { id: 'flow/2.1', task: 'inc', state: 'skipped', cause: 'flow/2.0' },
      { id: 'flow/3.0', task: 'inc', state: 'succeeded', value: 2 },
      { id: 'flow/3.1', task: 'inc', state: 'succeeded', value: 3 },
    ])
  },

  'rule 13: settled() waits for every member, also when the flow is decided': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const flow = await stage.app.enqueue(group([slow.with(0), fail.with('no')], { failFast: true }))
    await reached()
    await rejection(flow.result())
    await assert.rejects(flow.settled({ timeout: 30 }), { code: 'RESULT_TIMEOUT' })
    const settled = flow.settled()
    open()
    assert.deepEqual(
      (await settled).map(({ state, value }) => [state, value]),
      [
        ['succeeded', 0],
        ['failed', undefined],
      ],
    )
  },

  'rule 14: a group is decided when its last member has ended, with failFast at the first failure': async (
    stage,
  ) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const members = [slow.with(0), fail.with('no'), slow.with(2)] as const
    const [patient, hasty] = await stage.app.enqueue([group(members), group(members, { failFast: true })])
    await reached(4)
    await assert.rejects(hasty.result(), { code: 'TASK_FAILED', message: /: no$/ })
    assert.deepEqual(await placesOf(hasty), { 0: 'active', 1: 'failed', 2: 'active' })
    assert.equal(await patient.state(), 'active')
    open()
    await assert.rejects(patient.result(), { code: 'TASK_FAILED' })
    await hasty.settled()
    assert.deepEqual(await placesOf(hasty), { 0: 'succeeded', 1: 'failed', 2: 'succeeded' })
  },

  'rule 15: all of a flow is accepted before any member can run, or none of it is': async (stage) => {
    const ran: string[] = []
    const note = task('note', (_: number, { id }) => void ran.push(id))
    await stage.worker([note])
    const refusal = new BackendError('BACKEND_FULL', 'the disk is full')
    const poor = await stage.process({}, ({ verb }) => (verb === 'submit' ? { fail: refusal } : undefined))
    const members = Array.from({ length: 20 }, (_, i) => note.with(i))
    await assert.rejects(poor.enqueue(group(members), { id: 'refused' }), { code: 'BACKEND_FULL' })
    assert.equal(await stage.app.flow('refused').state(), 'unknown')
    const flow = await stage.app.enqueue(group(members), { id: 'flow' })
    assert.equal((await flow.steps()).length, 20)
    await flow.result()
    assert.equal(ran.length, 20)
  },

  'rule 15: a flow whose acceptance was not heard of is there once, however often it is sent': async (
    stage,
  ) => {
    const lost = new BackendError('BACKEND_UNAVAILABLE', 'cut', { retryable: true })
    const ran: string[] = []
    const note = task('note', (_: number, { id }) => void ran.push(id))
    const app = await stage.process({}, ({ verb, nth }) =>
      verb === 'submit' && nth === 1 ? { lose: lost } : undefined,
    )
    const flow = chain(group([note.with(1), note.with(2)]), note.with(3).detached())
    await assert.rejects(app.enqueue(flow, { id: 'flow' }), { code: 'BACKEND_UNAVAILABLE', retryable: true })
    const again = await app.enqueue(flow, { id: 'flow' })
    assert.equal(again.status, 'duplicate')
    await stage.worker([note])
    await again.result()
    assert.deepEqual(ran.sort(), ['flow/0.0', 'flow/0.1', 'flow/1'])
  },

  'a wrong member is refused at the call, and nothing of the flow is accepted': async ({ app }) => {
    await assert.rejects(app.enqueue(group([inc.with(1), echo.with({ f: () => 1 })])), {
      code: 'UNSERIALISABLE',
      path: 'input.f',
    })
    assert.throws(() => group([inc.with(1), 5 as never]), { message: /member 1 of group/ })
    assert.throws(() => group(inc.with(1) as never), { message: /one array: group\(\[first, second\]\)/ })
    assert.throws(() => group([], { failfast: true } as never), {
      code: 'UNKNOWN_OPTION',
      message: /failFast/,
    })
    assert.deepEqual((await app.jobs()).jobs, [])
  },

  'members run side by side, as far as there are places': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', (_: number) => through())
    await stage.worker([slow], { concurrency: 4 })
    const flow = await stage.app.enqueue(group(Array.from({ length: 6 }, (_, i) => slow.with(i))))
    await reached(4)
    assert.equal(Object.values(await placesOf(flow)).filter((state) => state === 'active').length, 4)
    open()
    await flow.result()
  },

  'expected values of Machinery: a group of add(1,1), add(2,2), add(5,6) gives 2, 4, 11': async (stage) => {
    await stage.worker(tasks)
    const members = [add.with({ x: 1, y: 1 }), add.with({ x: 2, y: 2 }), add.with({ x: 5, y: 6 })] as const
    assert.deepEqual(await (await stage.app.enqueue(group(members))).result(), [2, 4, 11])
  },
}
