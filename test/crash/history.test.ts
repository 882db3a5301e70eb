import type { FlowStep, JobInfo } from 'millrace'
import { describe, expect, test } from 'vitest'
import { judge } from '../../scripts/chaos/history.mjs'
import { planOf } from '../../scripts/chaos/plan.mjs'
import type { Entry, Evidence, Plan, Work } from '../../scripts/chaos/types.ts'

const work = (n: number, more: Partial<Work> = {}): Work => ({ n, ms: 0, fails: 0, later: false, ...more })
const info = (n: number, run: string, more: object = {}) =>
  ({ state: 'succeeded', attempt: 1, crashes: 0, result: { n, run }, ...more }) as JobInfo

let clock = 0
const entry = (did: Entry['did'], id: string, more: object = {}): Entry => ({
  did,
  id,
  by: 'w',
  at: ++clock,
  ...more,
})
const delivery = (id: string, token: number, run: string, answer = 'applied'): Entry[] => [
  entry('take', id, { token }),
  entry('run', id, { run }),
  entry('finish', id, { token, run, end: 'succeeded' }),
  entry('answer', id, { token, run, end: 'succeeded', answer }),
]
const enqueued = (id: string) => [entry('try', id), entry('accepted', id)]

const job: Plan = { kind: 'job', id: 'a', work: work(7), delay: 0, priority: 0 }
const good = (): { -readonly [K in keyof Evidence]: Evidence[K] } => ({
  plans: [job],
  journal: [...enqueued('a'), ...delivery('a', 1, 'r1')],
  jobs: new Map([['a', info(7, 'r1')]]),
  flows: new Map(),
})

describe('the checker of histories', () => {
  test('is content with a job that ended once, as planned', () => {
    const verdict = judge(good())
    expect(verdict).toMatchObject({ accepted: 1, finishedOnce: 1, runs: 1, refused: 0 })
    expect(verdict).toMatchObject({ lost: [], twice: [], stuck: [], wrong: [], early: [] })
  })

  test('is content with a second run whose finish was refused', () => {
    const history = {
      ...good(),
      journal: [...enqueued('a'), ...delivery('a', 2, 'r1'), ...delivery('b', 1, 'x')],
    }
    history.journal.push(entry('answer', 'a', { token: 1, run: 'r0', end: 'succeeded', answer: 'stale' }))
    expect(judge(history)).toMatchObject({ finishedOnce: 1, refused: 1, twice: [] })
  })

  test('is content with a take that was noted late, because its process was stopped', () => {
    const history = { ...good(), journal: [...enqueued('a'), ...delivery('a', 2, 'r1')] }
    history.journal.push(entry('take', 'a', { token: 1 }))
    expect(judge(history)).toMatchObject({ finishedOnce: 1, twice: [] })
  })

  test('asks nothing of a job that was never accepted', () => {
    const history = { ...good(), journal: [entry('try', 'a')], jobs: new Map() }
    expect(judge(history)).toMatchObject({ accepted: 0, lost: [], stuck: [] })
  })

  test.each<[keyof ReturnType<typeof judge>, string, (history: ReturnType<typeof good>) => void]>([
    [
      'lost',
      'an accepted job without a record',
      (history) => {
        history.jobs = new Map()
      },
    ],
    [
      'stuck',
      'a job that has not ended',
      (history) => {
        history.jobs = new Map([['a', info(7, 'r1', { state: 'active' })]])
      },
    ],
    [
      'wrong',
      'a failure that was not planned',
      (history) => {
        history.jobs = new Map([['a', info(7, 'r1', { state: 'failed', error: { code: 'TASK_FAILED' } })]])
      },
    ],
    [
      'wrong',
      'an attempt that a kill has cost',
      (history) => {
        history.jobs = new Map([['a', info(7, 'r1', { attempt: 2 })]])
      },
    ],
    [
      'wrong',
      'the result of another job',
      (history) => {
        history.jobs = new Map([['a', info(8, 'r1')]])
      },
    ],
    [
      'early',
      'a run before its time',
      (history) => {
        history.plans = [{ ...job, delay: 1000 }]
      },
    ],
    [
      'twice',
      'two finishes applied',
      (history) => {
        history.journal = [
          ...history.journal,
          entry('answer', 'a', { token: 2, run: 'r1', end: 'succeeded', answer: 'applied' }),
        ]
      },
    ],
    [
      'twice',
      'a delivery after the end',
      (history) => {
        history.journal = [...history.journal, entry('take', 'a', { token: 2 })]
      },
    ],
    [
      'twice',
      'a late finish applied while another runs',
      (history) => {
        const [take, run, ...end] = delivery('a', 1, 'r1')
        history.journal = [...enqueued('a'), take!, run!, entry('take', 'a', { token: 2 }), ...end]
      },
    ],
    [
      'twice',
      'the record of another run than the one applied',
      (history) => {
        history.jobs = new Map([['a', info(7, 'r2')]])
      },
    ],
    [
      'twice',
      'a second end that only the backend has seen',
      (history) => {
        history.ends = [
          { id: 'a', again: false },
          { id: 'a', again: true },
        ]
      },
    ],
  ])('tells of what is %s: %s', (kind, _, spoil) => {
    const history = good()
    spoil(history)
    expect(judge(history)[kind]).toHaveLength(1)
  })
})

describe('the checker of histories, of a chord', () => {
  const chord: Plan = { kind: 'chord', id: 'f', members: [work(1), work(2)], delay: 0 }
  const step = (id: string, state: string, job?: JobInfo) =>
    ({ id, task: 't', state, ...(job && { job }) }) as FlowStep
  const flow = (state: string, steps: FlowStep[]): Evidence => ({
    plans: [chord],
    journal: enqueued('f'),
    jobs: new Map(),
    flows: new Map([['f', { state, steps }]]),
  })
  const members = [step('f/0', 'succeeded', info(1, 'r1')), step('f/1', 'succeeded', info(2, 'r2'))]
  const lost = info(2, '', { state: 'failed', error: { code: 'WORKER_LOST' }, crashes: 3, result: undefined })

  test('is content with a body that got all members', () => {
    const verdict = judge(flow('succeeded', [...members, step('f/2', 'succeeded', info(3, 'r3'))]))
    expect(verdict).toMatchObject({ accepted: 3, chords: 1, finishedOnce: 3, lost: [], wrong: [] })
  })

  test('is content with a body that was skipped because a member failed at the crash limit', () => {
    const verdict = judge(flow('failed', [members[0]!, step('f/1', 'failed', lost), step('f/2', 'skipped')]))
    expect(verdict).toMatchObject({ finishedOnce: 2, skipped: 1, workerLost: 1, wrong: [], stuck: [] })
  })

  test.each<[keyof ReturnType<typeof judge>, string, Evidence]>([
    [
      'wrong',
      'a member counted twice',
      flow('succeeded', [...members, step('f/2', 'succeeded', info(4, 'r3'))]),
    ],
    [
      'wrong',
      'a body that ran although a member failed',
      flow('succeeded', [members[0]!, step('f/1', 'failed', lost), step('f/2', 'succeeded', info(3, 'r3'))]),
    ],
    [
      'wrong',
      'a flow that failed although all went well',
      flow('failed', [...members, step('f/2', 'succeeded', info(3, 'r3'))]),
    ],
    ['lost', 'a body that was never queued', flow('active', [...members, step('f/2', 'pending')])],
  ])('tells of what is %s: %s', (kind, _, history) => {
    expect(judge(history)[kind]).not.toEqual([])
  })
})

test('the same seed plans the same jobs, as many as asked for', () => {
  const plans = planOf(3, 1000)
  expect(planOf(3, 1000)).toEqual(plans)
  expect(planOf(4, 1000)).not.toEqual(plans)
  const count = plans.reduce((sum, plan) => sum + (plan.kind === 'job' ? 1 : plan.members.length + 1), 0)
  expect(count).toBe(1000)
})
