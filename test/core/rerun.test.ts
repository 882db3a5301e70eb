import { describe, expect, test } from 'vitest'
import { PAYLOAD_LIMIT, unpackCall } from '../../src/core/body.ts'
import { compile } from '../../src/core/compile.ts'
import { chain, group, partOf } from '../../src/core/flow.ts'
import { unpackOutline } from '../../src/core/outline.ts'
import { rerun } from '../../src/core/rerun.ts'
import { task } from '../../src/core/task.ts'
import type { Job, JobRecord, JobState, Join } from '../../src/port/index.ts'

const inc = task('inc', (n: number) => n + 1)
const sum = task('sum', (list: readonly number[]) => list.length)
const report = task('report', (_: unknown) => {})

/** The new run of a flow whose jobs have come to these states, by their place. */
function again(flow: unknown, states: Record<string, JobState>) {
  const old = compile(partOf(flow), {
    id: 'old',
    app: {},
    call: { due: { in: 500 } },
    payloadLimit: PAYLOAD_LIMIT,
    notify: 'before',
    check: () => {},
  })
  const jobs = new Map(
    [...old.jobs, ...old.joins!.flatMap(laterJobs)].map((job) => [job.id.slice('old/'.length), job]),
  )
  const records = Object.entries(states).map(
    ([place, state]) =>
      ({ job: jobs.get(place)!, state, result: state === 'succeeded' ? `1"${place}"` : '1{}' }) as JobRecord,
  )
  return rerun('old', 'new', old.joins!, records, 'now')
}
const laterJobs = ({ release, otherwise, besides }: Join): Job[] => [
  ...(release?.jobs ?? []),
  ...(otherwise ? [otherwise] : []),
  ...(besides ? [besides] : []),
]
const done = (jobs: readonly Job[]) => Object.fromEntries(jobs.map((job) => [job.id, job.done]))

describe('a new run of a flow', () => {
  test('takes over the steps that succeeded, and runs the others', () => {
    const { jobs, joins, opens } = again(chain(group([inc.with(1), inc.with(2)]), sum, inc), {
      '0.0': 'succeeded',
      '0.1': 'failed',
    })
    expect(done(jobs)).toEqual({ 'new/0.0': '1"0.0"', 'new/0.1': undefined })
    expect(opens).toEqual([])
    expect(joins!.map(({ id }) => id).sort()).toEqual(['new', 'new/0*', 'new/0>', 'new/1>'])
    expect(joins!.find(({ id }) => id === 'new/0>')).toMatchObject({
      flow: 'new',
      reports: { join: 'new', index: 0 },
      release: { jobs: [{ id: 'new/1', flow: 'new', reports: { join: 'new/1>', index: 0 } }] },
    })
  })

  test('reads from its own joins, and names the flow that it is a new run of', () => {
    const { joins } = again(chain(inc.with(1), inc), { 0: 'failed' })
    const next = joins!.find(({ id }) => id === 'new/0>')!.release!.jobs[0]!
    expect(unpackCall(next.body)).toEqual({ input: undefined, from: 'new/0>' })
    const { root } = joins!.find(({ id }) => id === 'new')!
    expect(root).toMatchObject({ notify: 'now' })
    expect(unpackOutline(root!.outline)).toMatchObject({ retryOf: 'old' })
  })

  test('has steps on the way done that were done before', () => {
    const { jobs, joins } = again(chain(inc.with(1), inc, inc), {
      0: 'succeeded',
      1: 'succeeded',
      2: 'failed',
    })
    expect(done(jobs)).toEqual({ 'new/0': '1"0"' })
    expect(done(joins!.flatMap((join) => join.release?.jobs ?? []))).toEqual({
      'new/1': '1"1"',
      'new/2': undefined,
    })
  })

  test('does not wait again for what was waited for, but for delays on its way', () => {
    const { jobs, joins } = again(chain(inc.with(1), inc.options({ delay: 700 })), { 0: 'failed' })
    expect(jobs[0]).not.toHaveProperty('due')
    expect(joins!.find(({ id }) => id === 'new/0>')!.release!.jobs[0]!.due).toEqual({ in: 700 })
  })

  test('opens empty groups at its start alone', () => {
    const { opens, joins } = again(group([group([]), chain(inc.with(1), group([]))]), { '1.0': 'failed' })
    expect(opens).toEqual(['new/0*'])
    expect(joins!.find(({ id }) => id === 'new/1.0>')!.release!.opens).toEqual(['new/1.1*'])
  })

  test('keeps handlers; one that ran for a success that is taken over is done', () => {
    const flow = chain(inc.with(1).onSuccess(report), inc.onError(report).onSuccess(report))
    const { jobs, joins } = again(flow, {
      0: 'succeeded',
      '0!success': 'succeeded',
      1: 'failed',
      '1!error': 'succeeded',
    })
    expect(done(jobs)).toEqual({ 'new/0': '1"0"' })
    const handlers = joins!.flatMap(({ otherwise, besides }) => [
      ...(otherwise ? [otherwise] : []),
      ...(besides ? [besides] : []),
    ])
    expect(done(handlers)).toEqual({
      'new/0!success': '1"0!success"',
      'new/1!error': undefined,
      'new/1!success': undefined,
    })
  })
})
