import { describe, expect, test } from 'vitest'
import { chain, group, partOf } from '../../src/core/flow.ts'
import { outlineOf } from '../../src/core/outline.ts'
import { task } from '../../src/core/task.ts'
import { type FlowNode, idsOf, stepsOf, treeOf } from '../../src/core/tree.ts'
import type { JobRecord, JobState, JoinRecord } from '../../src/port/index.ts'

const inc = task('inc', (n: number) => n + 1)
const sum = task('sum', (list: readonly number[]) => list.length)
const report = task('report', (_: unknown) => {})

type JoinState = JoinRecord['state'] | 'cancelling'

/** The states of all parts, given those of the jobs and joins that there are; all other joins are open. */
function states(
  flow: unknown,
  jobs: Record<string, JobState>,
  joins: Record<string, JoinState> = {},
  culprits: Record<string, string> = {},
) {
  const tree = treeOf('f', outlineOf(partOf(flow)), {
    job: (id) => (jobs[id.slice(2)] ? ({ state: jobs[id.slice(2)] } as JobRecord) : undefined),
    join(id) {
      const state = joins[id.slice(2)] ?? 'active'
      const cancelling = state === 'cancelling'
      return { state: cancelling ? 'active' : state, cancelling } as JoinRecord
    },
    culprit: (edge) => culprits[edge.slice(2)],
  })!
  const all: Record<string, string> = {}
  const visit = ({ id, kind, state, cause, children, handlers }: FlowNode) => {
    const name = `${kind} ${id.slice(2)}`.trim()
    all[name] = cause ? `${state} by ${cause}` : state
    for (const node of [...children, ...handlers]) visit(node)
  }
  visit(tree)
  return { tree, all }
}

const nothing = { job: () => undefined, join: () => undefined, culprit: () => undefined }

test('the ids of all that a flow can have', () => {
  const flow = chain(group([inc.with(1), chain(inc.with(1), inc)]).onError(report), sum.onSuccess(report))
  const { jobs, joins, edges } = idsOf('f', outlineOf(partOf(flow)))
  expect(jobs.sort()).toEqual(['f/0!error', 'f/0.0', 'f/0.1.0', 'f/0.1.1', 'f/1', 'f/1!success'])
  expect(joins.sort()).toEqual(['f', 'f/0!', 'f/0*', 'f/0.1.0>', 'f/0>', 'f/1!'])
  expect(edges.sort()).toEqual(['f/0.1.0>', 'f/0>'])
})

describe('a chain', () => {
  const flow = chain(inc.with(1), inc, inc)

  test.each<[string, Record<string, JobState>, Record<string, JoinState>, Record<string, string>]>([
    [
      'waits',
      { 0: 'waiting' },
      {},
      { chain: 'waiting', 'step 0': 'waiting', 'step 1': 'pending', 'step 2': 'pending' },
    ],
    [
      'is on its way',
      { 0: 'succeeded', 1: 'waiting' },
      { '0>': 'succeeded' },
      { chain: 'active', 'step 0': 'succeeded', 'step 1': 'waiting', 'step 2': 'pending' },
    ],
    [
      'is retried',
      { 0: 'succeeded', 1: 'retrying' },
      { '0>': 'succeeded' },
      { chain: 'retrying', 'step 0': 'succeeded', 'step 1': 'retrying', 'step 2': 'pending' },
    ],
    [
      'has succeeded',
      { 0: 'succeeded', 1: 'succeeded', 2: 'succeeded' },
      { '0>': 'succeeded', '1>': 'succeeded' },
      { chain: 'succeeded', 'step 0': 'succeeded', 'step 1': 'succeeded', 'step 2': 'succeeded' },
    ],
    [
      'has failed at its first step',
      { 0: 'failed' },
      { '0>': 'failed' },
      { chain: 'failed', 'step 0': 'failed', 'step 1': 'skipped by f/0', 'step 2': 'skipped by f/0' },
    ],
    [
      'has failed with a step that was cancelled by itself',
      { 0: 'cancelled' },
      { '0>': 'failed' },
      { chain: 'failed', 'step 0': 'cancelled', 'step 1': 'skipped by f/0', 'step 2': 'skipped by f/0' },
    ],
    [
      'has failed with its last step, which was cancelled by itself',
      { 0: 'succeeded', 1: 'succeeded', 2: 'cancelled' },
      { '0>': 'succeeded', '1>': 'succeeded', '': 'failed' },
      { chain: 'failed', 'step 0': 'succeeded', 'step 1': 'succeeded', 'step 2': 'cancelled' },
    ],
    [
      'has failed with a step that expired',
      { 0: 'succeeded', 1: 'succeeded', 2: 'expired' },
      { '0>': 'succeeded', '1>': 'succeeded' },
      { chain: 'failed', 'step 0': 'succeeded', 'step 1': 'succeeded', 'step 2': 'expired' },
    ],
    [
      'is cancelled while a step runs',
      { 0: 'active' },
      { '0>': 'cancelling', '1>': 'cancelling' },
      { chain: 'active', 'step 0': 'active', 'step 1': 'cancelled', 'step 2': 'cancelled' },
    ],
    [
      'was cancelled after a step had succeeded',
      { 0: 'succeeded' },
      { '0>': 'cancelled' },
      { chain: 'cancelled', 'step 0': 'succeeded', 'step 1': 'cancelled', 'step 2': 'cancelled' },
    ],
  ])('%s', (_, jobs, joins, expected) => {
    expect(states(flow, jobs, joins, { '0>': 'f/0', '1>': 'f/1' }).all).toEqual(expected)
  })
})

describe('groups and handlers', () => {
  const flow = chain(group([inc.with(1), chain(inc.with(1), inc)]), sum.onError(report)).onSuccess(report)

  test('below a part that is not reached everything is pending', () => {
    expect(states(flow, { '0.0': 'active', '0.1.0': 'waiting' }).all).toEqual({
      chain: 'active',
      'group 0': 'active',
      'step 0.0': 'active',
      'chain 0.1': 'waiting',
      'step 0.1.0': 'waiting',
      'step 0.1.1': 'pending',
      'step 1': 'pending',
      'onError 1!error': 'pending',
      'onSuccess !success': 'pending',
    })
  })

  test('after a failure what was not reached is skipped, with its cause, handlers among it', () => {
    const { all } = states(
      flow,
      { '0.0': 'succeeded', '0.1.0': 'failed' },
      { '0.1.0>': 'failed', '0*': 'failed', '0>': 'failed', '!': 'failed' },
      { '0.1.0>': 'f/0.1.0', '0>': 'f/0.1.0' },
    )
    expect(all).toEqual({
      chain: 'failed',
      'group 0': 'failed',
      'step 0.0': 'succeeded',
      'chain 0.1': 'failed',
      'step 0.1.0': 'failed',
      'step 0.1.1': 'skipped by f/0.1.0',
      'step 1': 'skipped by f/0.1.0',
      'onError 1!error': 'skipped by f/0.1.0',
      'onSuccess !success': 'skipped',
    })
  })

  test('a handler whose case did not occur is skipped, and one that runs has its own state', () => {
    const { all } = states(
      flow,
      {
        '0.0': 'succeeded',
        '0.1.0': 'succeeded',
        '0.1.1': 'succeeded',
        1: 'succeeded',
        '!success': 'retrying',
      },
      { '0.1.0>': 'succeeded', '0*': 'succeeded', '0>': 'succeeded', '1!': 'succeeded', '!': 'succeeded' },
    )
    expect(all).toMatchObject({
      chain: 'succeeded',
      'onError 1!error': 'skipped',
      'onSuccess !success': 'retrying',
    })
  })

  test('the steps of a tree are its leaves in the order of declaration, without handlers', () => {
    const { tree } = states(flow, { '0.0': 'waiting', '0.1.0': 'waiting' })
    expect([...stepsOf(tree)].map(({ id }) => id)).toEqual(['f/0.0', 'f/0.1.0', 'f/0.1.1', 'f/1'])
  })

  test('where the job of a step that was reached is gone, so is the flow', () => {
    expect(treeOf('f', outlineOf(partOf(flow)), nothing)).toBeUndefined()
  })

  test('a flow of the empty group', () => {
    expect(states(group([]), {}, { '*': 'succeeded' }).all).toEqual({ group: 'succeeded' })
  })
})
