import assert from 'node:assert/strict'
import { chain, chord, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { door, echo, fail, inc, placesOf, rejection, sum, tasks } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** A task that fails until it is mended, and counts the runs of all. */
async function fragile(stage: Stage) {
  const state = { broken: true }
  const runs: string[] = []
  const note = task('note', (n: number, { id }) => {
    runs.push(id.slice(id.indexOf('/') + 1))
    return n + 1
  })
  const shaky = task('shaky', { retry: 1 }, (n: number, { id }) => {
    runs.push(id.slice(id.indexOf('/') + 1))
    if (state.broken) throw new Error('broken')
    return n * 10
  })
  const total = task('total', (list: readonly number[], { id }) => {
    runs.push(id.slice(id.indexOf('/') + 1))
    return list.reduce((a, b) => a + b, 0)
  })
  await stage.worker([note, shaky, total, ...tasks])
  return { state, runs, note, shaky, total }
}

export const flowRetries: Subject = {
  'rule 18: retry() of a flow is a new flow that takes over the steps that succeeded': async (stage) => {
    const { state, runs, note, shaky, total } = await fragile(stage)
    const value = chain(note.with(1), group([note, shaky, chain(note, shaky)]), total, note)
    const flow = await stage.app.enqueue(value, { id: 'flow' })
    await rejection(flow.result())
    assert.deepEqual(runs.sort(), ['0', '1.0', '1.1', '1.2.0', '1.2.1'])
    state.broken = false
    runs.length = 0
    const again = await (await stage.process()).flow('flow').retry()
    assert.notEqual(again.id, 'flow')
    assert.equal(await again.result(), 3 + 20 + 30 + 1)
    assert.deepEqual(runs.sort(), ['1.1', '1.2.1', '2', '3'])
    assert.deepEqual(new Set(Object.values(await placesOf(again))), new Set(['succeeded']))
    assert.equal(await flow.state(), 'failed')
    assert.equal((await again.tree())?.retryOf, 'flow')
  },

  'a flow may be retried until it succeeds': async (stage) => {
    const { state, runs, note, shaky } = await fragile(stage)
    const flow = await stage.app.enqueue(chain(note.with(1), note, shaky, note))
    let last = flow
    for (let i = 0; i < 3; i++) {
      await rejection(last.result())
      last = (await last.retry()) as typeof flow
    }
    await rejection(last.result())
    state.broken = false
    last = (await last.retry()) as typeof flow
    assert.equal(await last.result(), 31)
    assert.deepEqual(runs, ['0', '1', '2', '2', '2', '2', '2', '3'])
  },

  'retry() of a cancelled flow runs what was not reached': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n
    })
    await stage.worker([...tasks, slow])
    const flow = await stage.app.enqueue(chain(group([inc.with(1), slow.with(5)]), sum, inc))
    await reached()
    await stage.until('the other member to end', async () => (await placesOf(flow))['0.0'] === 'succeeded')
    await flow.cancel()
    open()
    await assert.rejects(flow.result(), { code: 'CANCELLED' })
    const again = await flow.retry()
    assert.equal(await again.result(), 8)
  },

  'retry() of a flow keeps handlers; one that has run for what is taken over does not run again': async (
    stage,
  ) => {
    const told: string[] = []
    const tell = task('tell', (_: unknown, { id }) => void told.push(id.slice(id.indexOf('/') + 1)))
    await stage.worker([tell], { queues: ['tell'] })
    const aside = tell.options({ queue: 'tell' })
    const { state, note, shaky } = await fragile(stage)
    const flow = await stage.app.enqueue(
      chain(note.with(1).onSuccess(aside), shaky.onError(aside).onSuccess(aside))
        .onError(aside)
        .onSuccess(aside),
    )
    await rejection(flow.result())
    // To have run is not enough: one whose end isn't stored yet would be run again.
    await stage.until('the handlers to end', async () => {
      const { jobs } = await stage.app.jobs({ queue: 'tell', state: 'succeeded' })
      return jobs.length === 3
    })
    assert.deepEqual(told.splice(0).sort(), ['!error', '0!success', '1!error'])
    state.broken = false
    const again = await flow.retry()
    assert.equal(await again.result(), 20)
    await stage.until('the handlers to run', () => told.length === 2)
    assert.deepEqual(told.sort(), ['!success', '1!success'])
  },

  'retry() of a flow with empty groups, and with an empty beginning': async (stage) => {
    const { state, shaky } = await fragile(stage)
    const flows = await stage.app.enqueue([
      chain(group([]), sum, shaky, group([]), sum),
      chain(group([group([]), shaky.with(1)]), echo),
      chain(inc.with(1), group([]), sum, shaky),
    ])
    await Promise.all(flows.map((flow) => rejection(flow.result())))
    state.broken = false
    const again = await Promise.all(flows.map((flow) => flow.retry()))
    assert.deepEqual(await Promise.all(again.map((flow) => flow.result())), [0, [[], 10], 0])
  },

  'retry() of a flow that has not ended, or has succeeded, or is unknown, is refused': async (stage) => {
    const flow = await stage.app.enqueue(chain(inc.with(1), inc))
    await assert.rejects(flow.retry(), { code: 'NOT_RETRYABLE', message: /has not ended/ })
    await stage.worker(tasks)
    await flow.result()
    await assert.rejects(flow.retry(), { code: 'NOT_RETRYABLE', message: /has succeeded/ })
    await assert.rejects(stage.app.flow('nobody').retry(), { code: 'UNKNOWN_JOB' })
  },

  'a flow is not retried as if it were a job': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(chain(fail.with('no'), inc))
    await rejection(flow.result())
    await assert.rejects(stage.app.job(flow.id).retry(), {
      name: 'UsageError',
      code: 'FLOW_MEMBER',
      message: /is a flow.*app\.flow\(id\)\.retry\(\)/,
    })
  },

  'what was taken over counts in a chord: the body gets the whole list, in order': async (stage) => {
    const { state, note, shaky } = await fragile(stage)
    const members = Array.from({ length: 30 }, (_, i) => (i % 7 === 3 ? shaky.with(i) : note.with(i)))
    const flow = await stage.app.enqueue(chord(members, echo))
    await rejection(flow.result())
    state.broken = false
    const again = await flow.retry()
    assert.deepEqual(
      await again.result(),
      members.map((_, i) => (i % 7 === 3 ? i * 10 : i + 1)),
    )
  },
}
