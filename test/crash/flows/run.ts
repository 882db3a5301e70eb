import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { type App, type FlowHandle, type FlowTree, TaskFailedError } from 'millrace'
import type { Audit } from './audit.ts'
import { judge } from './judge.ts'
import { isFinal, nodesOf } from './tree.ts'
import { build, DOOMED, type Value } from './value.ts'

/** A flow on its way. */
export interface Run {
  readonly value: Value
  readonly flow: FlowHandle
  /** The jobs that it had when a cancel took effect. */
  readonly cancelledAt?: number
}

/** So many flows are under way at once. */
const LANES = 8
const PATIENCE = '60s'

/**
 * Enqueue all, some at a time, look at them all the while, cancel one in ten at some moment, and see every
 * one to its end.
 */
export async function runAll(app: App, audit: Audit, values: readonly Value[]): Promise<Run[]> {
  const queue = [...values.entries()]
  const runs: Run[] = []
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [i, value] = next
        const flow = (await app.enqueue(build(value) as never)) as FlowHandle
        const cancelled = i % 10 === 9 ? cancelAtSomeMoment(flow, audit) : undefined
        const [cancelledAt] = await Promise.all([cancelled, seeThrough(flow)])
        runs.push({ value, flow, ...(cancelledAt !== undefined && { cancelledAt }) })
      }
    }),
  )
  return runs
}

async function cancelAtSomeMoment(flow: FlowHandle, audit: Audit): Promise<number | undefined> {
  await setTimeout(Math.random() * 500)
  return (await flow.cancel()) === 'final' ? undefined : (await audit.born(flow)).length
}

/** Wait until all has ended, and see that nothing that has ended changes. */
export async function seeThrough(flow: FlowHandle): Promise<void> {
  let ended = false
  const states = new Map<string, string>()
  async function watch() {
    while (!ended) {
      const tree = await flow.tree()
      for (const { id, state } of tree ? nodesOf(tree) : []) {
        const before = states.get(id)
        if (before && isFinal(before)) assert.equal(state, before, `the state of ${id}`)
        states.set(id, state)
      }
      await setTimeout(Math.random() * 50)
    }
  }
  const settled = flow.settled({ timeout: PATIENCE }).finally(() => {
    ended = true
  })
  await Promise.all([settled, watch()])
}

/** Compare what a flow came to with what the oracle says, and count what was written for it. */
export async function check({ value, flow, cancelledAt }: Run, audit: Audit, mended: boolean): Promise<void> {
  const tree = await handled(flow)
  const born = (await audit.born(flow)).sort()
  assert.deepEqual(born, [...new Set(born)], 'each job is queued once')
  assert.deepEqual((await audit.ended(flow)).sort(), born, 'each job that was queued has ended once')
  const decided = await audit.decided(flow)
  assert.equal(decided.length, new Set(decided).size, 'each join is decided once')
  if (cancelledAt !== undefined) {
    assert.equal(born.length, cancelledAt, 'nothing is queued below a cancel')
    for (const { id, state } of nodesOf(tree))
      assert.ok(isFinal(state), `Expected ${id} to end, it is ${state}.`)
    return
  }
  const { course, failures, records } = judge(value, tree, mended)
  assert.deepEqual(born, records.map((place) => `${flow.id}/${place}`).sort())
  assert.equal(await flow.state(), course.ok ? 'succeeded' : 'failed')
  if (course.ok) assert.deepEqual(await flow.result(), course.value)
  else {
    const error = await flow.result().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof TaskFailedError)
    assert.deepEqual(
      error.failures.map(({ path }) => path.join('.')),
      failures,
    )
  }
}

/** The flow's tree, once its handlers have ended. */
async function handled(flow: FlowHandle): Promise<FlowTree> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const tree = (await flow.tree())!
    const open = [...nodesOf(tree)].filter(({ state }) => !isFinal(state))
    if (open.length === 0) return tree
    assert.ok(performance.now() < deadline, `Expected ${open[0]!.id} to end, it is ${open[0]!.state}.`)
    await setTimeout(20)
  }
}

/** While it works, do this now and then. */
export async function meanwhile<T>(act: () => unknown, longest: number, work: () => Promise<T>): Promise<T> {
  let over = false
  async function repeat() {
    while (!over) {
      await setTimeout((0.1 + 0.9 * Math.random()) * longest)
      await act()
    }
  }
  const working = work().finally(() => {
    over = true
  })
  const [result] = await Promise.all([working, repeat()])
  return result
}

/** Cancel what is fated to be. */
export async function cancelDoomed(app: App): Promise<void> {
  const { jobs } = await app.jobs({ queue: DOOMED, state: 'waiting', limit: 100 })
  for (const { id } of jobs) await app.job(id).cancel()
}

/** All queues are empty but for what has ended. */
export async function nothingLeft(app: App): Promise<void> {
  for (const { name, counts } of await app.queues()) {
    const { scheduled = 0, waiting = 0, active = 0, retrying = 0 } = counts
    assert.deepEqual(
      { name, scheduled, waiting, active, retrying },
      { name, scheduled: 0, waiting: 0, active: 0, retrying: 0 },
    )
  }
}
