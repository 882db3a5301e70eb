import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import type { FlowHandle, FlowTree } from '../../../src/client/flow-handle.ts'
import type { Context } from '../../../src/core/definition.ts'
import { type Runnable, task } from '../../../src/core/task.ts'
import { Discard, RetryLater, type TaskFailedError } from '../../../src/errors.ts'
import type { Stage } from '../../../src/testing/contract/stage.ts'
import {
  anyValue,
  build,
  type Expected,
  expected,
  type Fate,
  fatesOf,
  mended,
  predecessorsOf,
  type Value,
} from './value.ts'

/** What happens beside the flow, counted by the runs of its steps; undefined when it doesn't. */
interface Course {
  readonly retry: boolean
  readonly cancelAt: number | undefined
  /** When a worker is cut off until its lease has lapsed. */
  readonly loseAt: number | undefined
}

const sometimes = (weight: number) =>
  fc.oneof(
    { weight: 10 - weight, arbitrary: fc.constant(undefined) },
    { weight, arbitrary: fc.integer({ min: 1, max: 6 }) },
  )

export interface Mishaps {
  /** Cut a worker off until its lease has lapsed: a step may run more often than it should. */
  readonly loses?: () => Promise<void>
}

/** The flow under test, as its handlers see it. */
interface Play {
  readonly fates: ReadonlyMap<string, Fate>
  readonly predecessors: ReadonlyMap<string, readonly string[]>
  readonly runs: Map<string, number>
  readonly done: Set<string>
  /** What ran before its time. */
  readonly early: string[]
  readonly notes: Map<string, number>
  started: number
  readonly at: Map<number, () => Promise<unknown>>
}

/** The stage's handlers and the flow that they play just now; one at a time. */
export interface Theatre {
  readonly stage: Stage
  play: Play
  flows: number
}

export function theatre(stage: Stage): Theatre & { readonly tasks: readonly Runnable[] } {
  const house: Theatre = { stage, play: newPlay(), flows: 0 }
  const placeOf = (id: string) => (id.includes('/') ? id.slice(id.indexOf('/') + 1) : '')

  async function act(input: unknown, { id, attempt }: Context): Promise<unknown> {
    const { play } = house
    const path = placeOf(id)
    const runs = (play.runs.get(path) ?? 0) + 1
    play.runs.set(path, runs)
    await play.at.get(++play.started)?.()
    const { end, flaky, later, slow } = play.fates.get(path)!
    if (!play.predecessors.get(path)!.every((before) => play.done.has(before))) play.early.push(path)
    for (let turn = 0; turn < slow; turn++) await setImmediate()
    if (later && runs === 1) throw new RetryLater(0)
    if (attempt <= flaky) throw new Error(`attempt ${attempt}`)
    if (end === 'fail') throw new Error('broken')
    if (end === 'discard') throw new Discard('given up')
    play.done.add(path)
    return [path, input]
  }

  const count = (_: unknown, { id }: Context) => {
    const place = placeOf(id)
    house.play.notes.set(place, (house.play.notes.get(place) ?? 0) + 1)
  }
  return Object.assign(house, {
    tasks: [task('step', { retry: { attempts: 3, from: 0 } }, act), task('note', count)],
  })
}

const newPlay = (value?: Value): Play => ({
  fates: value ? fatesOf(value) : new Map(),
  predecessors: value ? predecessorsOf(value) : new Map(),
  runs: new Map(),
  done: new Set(),
  early: [],
  notes: new Map(),
  started: 0,
  at: new Map(),
})

/**
 * Random flows through the public API come to what the oracle says. Set MILLRACE_SEED to run a seed again, and
 * MILLRACE_FLOWS for another number of flows.
 */
export async function flowsHold(house: Theatre, flows: number, mishaps: Mishaps = {}): Promise<void> {
  const numRuns = Number(process.env.MILLRACE_FLOWS ?? flows)
  const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
  console.log(`${numRuns} random flows, MILLRACE_SEED=${seed}`)
  const course = fc.record({
    retry: fc.boolean(),
    cancelAt: sometimes(1),
    loseAt: mishaps.loses ? sometimes(5) : fc.constant(undefined),
  })
  await fc.assert(
    fc.asyncProperty(anyValue, course, (value, course) => playOne(house, value, course, mishaps)),
    { seed, numRuns },
  )
}

async function playOne(house: Theatre, value: Value, course: Course, { loses }: Mishaps): Promise<void> {
  const { app } = house.stage
  const id = `flow-${++house.flows}`
  const play = newPlay(value)
  house.play = play
  let cancelled = false
  if (course.loseAt !== undefined) play.at.set(course.loseAt, loses!)
  if (course.cancelAt !== undefined && course.cancelAt !== course.loseAt) {
    play.at.set(course.cancelAt, async () => {
      cancelled = (await app.flow(id).cancel()) !== 'final'
    })
  }
  const { status } = await app.enqueue(build(value) as never, { id })
  assert.equal(status, 'accepted')
  const flow = app.flow(id)
  await settle(house, flow)

  const oracle = expected(value)
  const exact = course.loseAt === undefined || play.started < course.loseAt
  if (cancelled) return checkCancelled(flow, play)
  await checkResult(flow, oracle)
  await checkSteps(flow, oracle)
  checkRuns(play, oracle, exact)
  if (!oracle.ok && course.retry && (await app.job(id).info()) === undefined) {
    await checkRetry(house, flow, value, oracle, exact)
  }
}

/** Until every step and every handler has ended. */
async function settle({ stage }: Theatre, flow: FlowHandle): Promise<void> {
  await flow.settled()
  await stage.until('the handlers to end', async () => {
    const tree = await flow.tree()
    return (
      tree === undefined || handlersOf(tree).every(({ state }) => /succeeded|skipped|cancelled/.test(state))
    )
  })
}

const handlersOf = ({ children, handlers }: FlowTree): FlowTree[] => [
  ...handlers,
  ...children.flatMap(handlersOf),
]

const placeOf = (flow: { id: string }, id: string) => id.slice(flow.id.length + 1)

async function checkResult(flow: FlowHandle, { ok, value, steps, uncertain }: Expected): Promise<void> {
  assert.equal(await flow.state(), ok ? 'succeeded' : 'failed')
  if (ok) return assert.deepStrictEqual(await flow.result(), value)
  const error: TaskFailedError = await flow.result().then(
    () => assert.fail('Expected the result to reject.'),
    (error) => error,
  )
  if (uncertain.size > 0) return
  const failed = [...steps].flatMap(([path, { state }]) => (state === 'failed' ? [path] : []))
  const told = error.failures.length > 0 ? error.failures.map(({ id }) => placeOf(flow, id)) : ['']
  assert.deepEqual(told, failed)
  if (failed.length > 1) assert.equal(error.code, 'FLOW_FAILED')
  else assert.match(error.code, /TASK_FAILED|DISCARDED/)
}

async function checkSteps(flow: FlowHandle, { steps, uncertain }: Expected): Promise<void> {
  const found = (await flow.steps()).map(({ id, state, cause }) => {
    const place = placeOf(flow, id)
    return [
      place,
      uncertain.has(place) ? '?' : state,
      cause && uncertain.size === 0 ? placeOf(flow, cause) : '',
    ]
  })
  const wanted = [...steps].map(([path, { state, cause = '' }]) => [
    path,
    uncertain.has(path) ? '?' : state,
    uncertain.size === 0 ? cause : '',
  ])
  assert.deepEqual(found, wanted)
}

function checkRuns(play: Play, { steps, handlers, uncertain }: Expected, exact: boolean): void {
  assert.deepEqual(play.early, [], 'Expected no step to run before those that come before it.')
  for (const [path, { state }] of steps) {
    if (uncertain.has(path)) continue
    const { end, flaky, later } = play.fates.get(path)!
    const attempts = end === 'fail' ? 3 : flaky + 1
    const wanted = state === 'skipped' ? 0 : attempts + Number(later)
    const runs = play.runs.get(path) ?? 0
    if (exact) assert.equal(runs, wanted, `Expected ${path} to run ${wanted} times, got ${runs}.`)
    else
      assert.ok(
        runs >= wanted && runs <= wanted + 2,
        `Expected about ${wanted} runs of ${path}, got ${runs}.`,
      )
  }
  const partOf = (place: string) => place.slice(0, place.indexOf('!'))
  for (const place of handlers) {
    if (uncertain.has(partOf(place))) continue
    const times = play.notes.get(place) ?? 0
    assert.ok(exact ? times === 1 : times >= 1, `Expected the handler ${place} to run once, got ${times}.`)
  }
  for (const place of play.notes.keys()) {
    assert.ok(handlers.has(place) || uncertain.has(partOf(place)), `Expected no handler ${place} to run.`)
  }
}

async function checkCancelled(flow: FlowHandle, play: Play): Promise<void> {
  const state = await flow.state()
  assert.ok(['cancelled', 'succeeded', 'failed'].includes(state))
  if (state === 'cancelled') await assert.rejects(flow.result(), { code: 'CANCELLED' })
  for (const { state } of await flow.steps()) {
    assert.ok(
      ['succeeded', 'failed', 'cancelled', 'skipped'].includes(state),
      `Expected an end, got ${state}.`,
    )
  }
  if (state !== 'failed') assert.equal(play.notes.get('!error'), undefined)
}

async function checkRetry(house: Theatre, flow: FlowHandle, value: Value, before: Expected, exact: boolean) {
  const done = new Set(
    (await flow.steps()).flatMap(({ id, state }) => (state === 'succeeded' ? [placeOf(flow, id)] : [])),
  )
  const notes = house.play.notes
  const play = newPlay(mended(value))
  for (const path of done) play.done.add(path)
  house.play = play
  const again = await flow.retry()
  await settle(house, again)
  const oracle = expected(mended(value))
  await checkResult(again, oracle)
  await checkSteps(again, oracle)
  if (exact) for (const path of done) assert.equal(play.runs.get(path), undefined, `${path} ran again.`)
  for (const [path, { state }] of before.steps) {
    if (state === 'failed' && !before.uncertain.has(path)) assert.ok(play.runs.has(path))
  }
  assert.deepEqual(play.early, [])
  for (const place of oracle.handlers) {
    // One that ran for what is taken over does not run again.
    const wanted = notes.has(place) && place.endsWith('!success') ? 0 : 1
    if (exact) assert.equal(play.notes.get(place) ?? 0, wanted, `Expected ${wanted} runs of ${place}.`)
  }
  assert.equal(await flow.state(), 'failed')
}
