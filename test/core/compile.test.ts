import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Call, PAYLOAD_LIMIT, unpackCall } from '../../src/core/body.ts'
import { compile } from '../../src/core/compile.ts'
import type { Definition } from '../../src/core/definition.ts'
import { chain, group, partOf } from '../../src/core/flow.ts'
import { task } from '../../src/core/task.ts'

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
