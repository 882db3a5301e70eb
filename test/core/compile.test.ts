import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Call, PAYLOAD_LIMIT, unpackCall } from '../../src/core/body.ts'
import { compile } from '../../src/core/compile.ts'
import type { Definition } from '../../src/core/definition.ts'
import { chain, group, partOf } from '../../src/core/flow.ts'
import {
  checkJobOptions,
  checkRunOptions,
  type JobOptions,
  type RunOptions,
} from '../../src/core/settings.ts'
import { task } from '../../src/core/task.ts'
import type { Job, Join } from '../../src/port/index.ts'

const inc = task('inc', (n: number) => n + 1)
const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const half = task('half', { input: z.object({ x: z.number(), n: z.number() }) })
const pair = task('pair', (n: number) => ({ n }))

/** What every job of a flow is told, by the name of its task and its place. */
function calls(flow: unknown) {
  const checked: [string, unknown][] = []
  const { jobs, joins = [] } = compile(partOf(flow), {
    id: 'f',
    app: {},
    call: {},
    payloadLimit: PAYLOAD_LIMIT,
    notify: 'n',
    check: (definition: Definition, input: unknown) => checked.push([definition.name, input]),
  })
  const all = [...jobs, ...joins.flatMap((join) => join.release?.jobs ?? [])]
  const told = all.map(({ id, body }): [string, Call] => [id, unpackCall(body)])
  return { checked, told: Object.fromEntries(told) }
}

describe('what a step of a flow reads', () => {
  test('the first step its own input, a later one the join before it', () => {
    const { told, checked } = calls(chain(inc.with(1), inc))
    expect(told).toEqual({ 'f/0': { input: 1 }, 'f/1': { input: undefined, from: 'f/0>' } })
    expect(checked).toEqual([['inc', 1]])
  })

  test('a step with some fields bound reads the rest', () => {
    const { told, checked } = calls(chain(pair.with(1), half.with({ x: 1 })))
    expect(told['f/1']).toEqual({ input: { x: 1 }, from: 'f/0>' })
    expect(checked).toEqual([['pair', 1]])
  })

  test('a detached step reads nothing, and its input is checked at the call', () => {
    const { told, checked } = calls(chain(inc.with(1), add.with({ x: 1, y: 2 }).detached()))
    expect(told['f/1']).toEqual({ input: { x: 1, y: 2 } })
    expect(checked).toContainEqual(['add', { x: 1, y: 2 }])
  })

  test('the first steps of a detached flow read nothing, its later ones what comes before them', () => {
    const detached = chain(
      group([add.with({ x: 1, y: 2 })]),
      task('sum', (list: number[]) => list.length),
    ).detached()
    const { told } = calls(chain(inc.with(1), detached))
    expect(told['f/1.0.0']).toEqual({ input: { x: 1, y: 2 } })
    expect(told['f/1.1']).toEqual({ input: undefined, from: 'f/1.0>' })
  })
})

const sum = task('sum', (list: readonly number[]) => list.length)
const report = task('report', (_: unknown) => {})

const compiled = (flow: unknown, call: JobOptions = {}, app: RunOptions = {}, payloadLimit = PAYLOAD_LIMIT) =>
  compile(partOf(flow), {
    id: 'f',
    app: checkRunOptions(app),
    call: checkJobOptions(call, 'enqueue'),
    payloadLimit,
    notify: 'n',
    check: () => {},
  })

/** What starts a flow and what its joins do, on a line each: `f/0* (2) -> f/0> : f/1`. */
function drawn(flow: unknown): string[] {
  const { jobs, opens = [], joins = [] } = compiled(flow)
  const slot = ({ reports }: Job | Join) => (reports ? ` -> ${reports.join}[${reports.index}]` : '')
  const release = ({ release, otherwise, besides }: Join) => [
    ...(release ? [`then ${[...release.jobs.map(({ id }) => id), ...(release.opens ?? [])].join(' ')}`] : []),
    ...(otherwise ? [`else ${otherwise.id}`] : []),
    ...(besides ? [`beside ${besides.id}`] : []),
  ]
  return [
    ...jobs.map((job) => `${job.id}${slot(job)}`),
    ...opens.map((id) => `open ${id}`),
    ...joins.map((join) => [`${join.id} (${join.size})${slot(join)}`, ...release(join)].join(', ')),
  ]
}

describe('what a flow is turned into', () => {
  test.each<[string, unknown, string[]]>([
    ['a signature is a job without joins', inc.with(1), ['f']],
    [
      'a job with handlers is a flow of one step',
      inc.with(1).onError(report).onSuccess(report),
      ['f/ -> f/![0]', 'f/! (1) -> f[0], else f/!error, beside f/!success', 'f (1)'],
    ],
    ['a chain of one', chain(inc.with(1)), ['f/0 -> f[0]', 'f (1)']],
    [
      'a chain is an edge between each two steps; a failure goes on to the end at once',
      chain(inc.with(1), inc, inc),
      ['f/0 -> f/0>[0]', 'f/1> (1) -> f[0], then f/2', 'f/0> (1) -> f[0], then f/1', 'f (1)'],
    ],
    [
      'a group is a join of its size',
      group([inc.with(1), inc.with(2)]),
      ['f/0 -> f/*[0]', 'f/1 -> f/*[1]', 'f/* (2) -> f[0]', 'f (1)'],
    ],
    ['the empty group is opened', group([]), ['open f/*', 'f/* (0) -> f[0]', 'f (1)']],
    [
      'a chord is a group with an edge to its body',
      chain(group([inc.with(1), inc.with(2)]), sum),
      ['f/0.0 -> f/0*[0]', 'f/0.1 -> f/0*[1]', 'f/0> (1) -> f[0], then f/1', 'f/0* (2) -> f/0>[0]', 'f (1)'],
    ],
    [
      'an empty group on the way is opened by what comes before it',
      chain(inc.with(1), group([]), sum),
      [
        'f/0 -> f/0>[0]',
        'f/1> (1) -> f[0], then f/2',
        'f/1* (0) -> f/1>[0]',
        'f/0> (1) -> f[0], then f/1*',
        'f (1)',
      ],
    ],
    [
      'handlers are a join around their part',
      chain(group([inc.with(1).onError(report)]).onSuccess(report), sum),
      [
        'f/0.0 -> f/0.0![0]',
        'f/0> (1) -> f[0], then f/1',
        'f/0! (1) -> f/0>[0], beside f/0!success',
        'f/0* (1) -> f/0![0]',
        'f/0.0! (1) -> f/0*[0], else f/0.0!error',
        'f (1)',
      ],
    ],
  ])('%s', (_, flow, lines) => {
    expect(drawn(flow)).toEqual(lines)
  })

  test('every job of it carries its id, and no process to wake; the root does', () => {
    const { jobs, joins } = compiled(chain(inc.with(1), inc))
    const root = joins!.find((join) => join.root)!
    expect(root.root).toMatchObject({ notify: 'n', outline: '1{"shape":{"chain":["inc","inc"]}}' })
    const all = [...jobs, ...joins!.flatMap((join) => join.release?.jobs ?? [])]
    expect(all.map(({ flow, notify }) => [flow, notify])).toEqual([
      ['f', undefined],
      ['f', undefined],
    ])
    expect(compiled(inc.with(1)).jobs[0]).toMatchObject({ notify: 'n' })
    expect(compiled(inc.with(1)).jobs[0]).not.toHaveProperty('flow')
  })

  test('a group tells how it is decided', () => {
    const { joins } = compiled(group([inc.with(1)], { failFast: true, cancelSiblings: true }))
    expect(joins!.find(({ id }) => id === 'f/*')).toMatchObject({ failFast: true, cancelSiblings: true })
  })
})

describe('options in a flow', () => {
  const jobsOf = (flow: unknown, call: JobOptions, app?: RunOptions) => {
    const { jobs, joins = [] } = compiled(flow, call, app)
    const all = [
      ...jobs,
      ...joins.flatMap(({ release, besides }) => [...(release?.jobs ?? []), ...(besides ? [besides] : [])]),
    ]
    return Object.fromEntries(all.map((job) => [job.id.slice(2), job]))
  }

  test('the call is stronger than the signature, the task and the app', () => {
    const own = task('own', { queue: 'task', priority: 2, keep: 1 }, (n: number) => n)
    const jobs = jobsOf(
      chain(own.with(1).options({ queue: 'signature' }), own, inc),
      { priority: 4 },
      { queue: 'app', priority: 1, keep: { failed: 5 } },
    )
    expect([jobs[0]!.queue, jobs[1]!.queue, jobs[2]!.queue]).toEqual(['signature', 'task', 'app'])
    expect(new Set(Object.values(jobs).map(({ priority }) => priority))).toEqual(new Set([4]))
    expect(jobs[0]!.keep).toEqual({ succeeded: 1, failed: 1 })
    expect(jobs[2]!.keep).toEqual({ succeeded: 3_600_000, failed: 5 })
  })

  test('delay and expires of the call hold for what starts the flow alone, over its own', () => {
    const jobs = jobsOf(
      chain(group([inc.with(1).options({ delay: 1 }), chain(inc.with(2), inc.options({ delay: 3 }))]), sum),
      { delay: 5, expires: 6 },
    )
    const when = Object.fromEntries(
      Object.entries(jobs).map(([id, { due, expiresIn }]) => [id, [due, expiresIn]]),
    )
    expect(when).toEqual({
      '0.0': [{ in: 5 }, 6],
      '0.1.0': [{ in: 5 }, 6],
      '0.1.1': [{ in: 3 }, undefined],
      1: [undefined, undefined],
    })
  })

  test('what comes after an empty beginning starts the flow', () => {
    const begin = chain(group([]), group([group([])])).onSuccess(report)
    const jobs = jobsOf(chain(begin, inc as never, inc), { delay: 5 })
    expect([jobs[1]!.due, jobs[2]!.due, jobs['0!success']!.due]).toEqual([{ in: 5 }, undefined, { in: 5 }])
  })

  test('the record of the flow is kept as the call says, else the app', () => {
    const keep = (call: JobOptions, app: RunOptions) =>
      compiled(chain(inc.with(1)), call, app).joins!.find((join) => join.root)!.root!.keep
    expect(keep({}, {})).toEqual({ succeeded: 3_600_000, failed: 1_209_600_000 })
    expect(keep({ keep: { failed: 1 } }, { keep: 7 })).toEqual({ succeeded: 7, failed: 1 })
    expect(keep({ keep: 0 }, { keep: 7 })).toEqual({ succeeded: 0, failed: 0 })
  })
})

describe('limits', () => {
  const many = (count: number, part: unknown = inc.with(1)) =>
    Array.from({ length: count }, () => part) as never[]
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: 'FLOW_TOO_LARGE', message: expect.stringMatching(message) })
  const tall = (levels: number) => {
    let flow: unknown = inc.with(1)
    for (let i = 0; i < levels; i++) flow = group([flow as never])
    return flow
  }

  test('10,000 members and 20,000 jobs are as many as there may be', () => {
    const half = group(many(10_000))
    expect(compiled(group([half, half] as never)).jobs).toHaveLength(20_000)
    expect(() => compiled(group(many(10_001)))).toThrow(refused(/10001 members/))
    expect(() => compiled(group([half, half, inc.with(1)] as never))).toThrow(refused(/20000 jobs/))
  })

  test('groups of nothing count as well', () => {
    const nothing = group(many(300, group([])))
    expect(() => compiled(group(many(300, nothing)))).toThrow(refused(/60000 groups/))
  })

  test('flows may be nested a hundred levels deep', () => {
    expect(compiled(tall(100)).jobs).toHaveLength(1)
    expect(() => compiled(tall(101))).toThrow(refused(/nested deeper than 100/))
    expect(() => compiled(tall(50_000))).toThrow(refused(/nested deeper than 100/))
    expect(compiled(group([tall(99), tall(99)] as never)).jobs).toHaveLength(2)
  })

  test('the bytes of all inputs are counted', () => {
    const text = task('text', (text: string) => text)
    const euros = text.with('€'.repeat(300_000))
    expect(compiled(group(many(17, euros))).jobs).toHaveLength(17)
    expect(() => compiled(group(many(18, euros)))).toThrow(refused(/16000000 bytes/))
  })

  test('each input has the limit of an input', () => {
    expect(() =>
      compiled(chain(inc.with(1), add.with({ x: 'x'.repeat(2000) } as never) as never), {}, {}, 1024),
    ).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }))
  })
})
