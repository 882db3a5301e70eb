import { describe, expect, test } from 'vitest'
import {
  type ChainValue,
  chain,
  chord,
  chunks,
  type GroupValue,
  group,
  map,
  type PartValue,
  partOf,
} from '../../src/core/flow.ts'
import type { SignatureValue } from '../../src/core/signature.ts'
import { task } from '../../src/core/task.ts'

const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const inc = task('inc', (n: number) => n + 1)
const sum = task('sum', (list: number[]) => list.length)
const report = task('report', () => 1)
const value = <V = PartValue>(part: unknown) => part as V
/** A flow without what is the same everywhere: `add(1,2)`, `[a | b]`, `{a, b}`. */
const draw = (part: PartValue): string => {
  if (part.kind === 'chain') return `[${part.steps.map(draw).join(' | ')}]`
  if (part.kind === 'group') return `{${part.members.map(draw).join(', ')}}`
  return part.bound === 'nothing' ? part.task : `${part.task}(${JSON.stringify(part.input)})`
}

describe('a chain', () => {
  test('is a frozen list of its steps; a bare task stands in it with nothing bound', () => {
    const flow = value<ChainValue>(chain(inc.with(1), inc, inc.options({ queue: 'slow' })))
    expect(draw(flow)).toBe('[inc(1) | inc | inc]')
    expect(flow.steps[1]).toMatchObject({ kind: 'signature', bound: 'nothing', settings: {} })
    expect(flow.steps[2]).toMatchObject({ bound: 'nothing', settings: { queue: 'slow' } })
    expect(flow.ignoresPrevious).toBe(false)
    expect(Object.isFrozen(flow) && Object.isFrozen(flow.steps)).toBe(true)
  })

  test('of nothing is refused', () => {
    expect(() => (chain as (...steps: unknown[]) => unknown)()).toThrow(
      expect.objectContaining({ code: 'EMPTY_CHAIN' }),
    )
  })

  test('keeps inner chains and their handlers', () => {
    const inner = chain(inc, inc).onError(report)
    const flow = value<ChainValue>(chain(inc.with(1), inner))
    expect(draw(flow)).toBe('[inc(1) | [inc | inc]]')
    expect(flow.steps[1]).toMatchObject({ whenFailed: { task: 'report' } })
  })

  test('may have a thousand steps', () => {
    const flow = value<ChainValue>(chain(inc.with(1), ...Array.from({ length: 999 }, () => inc)))
    expect(flow.steps).toHaveLength(1000)
  })

  test.each<[string, unknown, string]>([
    ['a function', () => 1, 'Expected step 2 of chain to be a task, signature or flow, got a function.'],
    ['nothing', undefined, 'got undefined'],
    ['an array', [inc], 'got an array'],
    ['a look-alike', { kind: 'chain' }, 'got an object'],
    ['another look-alike', { kind: 'signature', task: 'x' }, 'got an object'],
  ])('refuses %s as a step', (_, step, message) => {
    expect(() => (chain as (...steps: unknown[]) => unknown)(inc.with(1), step)).toThrow(message)
  })
})

describe('a group', () => {
  test('is a frozen list of its members', () => {
    const flow = value<GroupValue>(group([inc.with(1), chain(inc.with(2), inc), group([])]))
    expect(draw(flow)).toBe('{inc(1), [inc(2) | inc], {}}')
    expect(flow).toMatchObject({
      kind: 'group',
      failFast: false,
      cancelSiblings: false,
      ignoresPrevious: false,
    })
    expect(Object.isFrozen(flow) && Object.isFrozen(flow.members)).toBe(true)
  })

  test('is not touched by a later change of the given array', () => {
    const members = [inc.with(1)]
    const flow = value<GroupValue>(group(members))
    members.push(inc.with(2))
    expect(flow.members).toHaveLength(1)
  })

  test('refuses a hole in the array: a member that is missing would never end', () => {
    expect(() => group(new Array(3))).toThrow(
      'Expected member 0 of group to be a task, signature or flow, got undefined.',
    )
  })

  test('takes failFast and cancelSiblings, and no other option', () => {
    expect(value(group([], { failFast: true, cancelSiblings: true }))).toMatchObject({
      failFast: true,
      cancelSiblings: true,
    })
    expect(() => group([], { failfast: true } as never)).toThrow('Did you mean "failFast"?')
    expect(() => group([], { failFast: 1 } as never)).toThrow('Expected failFast to be true or false, got 1.')
    expect(() => group(inc.with(1) as never)).toThrow('one array: group([first, second])')
  })
})

describe('a chord', () => {
  test('is a chain of a group and a step', () => {
    const flow = value<ChainValue>(chord([inc.with(1), inc.with(2)], sum, { failFast: true }))
    expect(draw(flow)).toBe('[{inc(1), inc(2)} | sum]')
    expect(flow.steps[0]).toMatchObject({ failFast: true })
  })
})

describe('map', () => {
  test('gives each input to a copy of the step', () => {
    expect(draw(value(map(inc, [1, 2])))).toBe('{inc(1), inc(2)}')
    expect(draw(value(map(inc, [])))).toBe('{}')
    expect(draw(value(map(chain(inc, inc), [1, 2])))).toBe('{[inc(1) | inc], [inc(2) | inc]}')
    expect(draw(value(map(chain(group([inc, inc]), sum), [5])))).toBe('{[{inc(5), inc(5)} | sum]}')
  })

  test('takes a hole in the array for an input that is undefined', () => {
    expect(draw(value(map(inc, new Array(2))))).toBe('{inc(undefined), inc(undefined)}')
  })

  test('of a step that is nested too deep leaves it to enqueue to say so', () => {
    let deep = chain(inc)
    for (let i = 0; i < 20_000; i++) deep = chain(deep)
    expect(() => map(deep, [1])).not.toThrow()
  })

  test('fills what is not bound, and keeps options and handlers', () => {
    const half = task('add', { queue: 'q' }).with({ x: 1 } as never) as unknown as typeof add
    const step = half.options({ priority: 5 }).onError(report)
    const flow = value<GroupValue>(map(step, [{ y: 2 } as never]))
    expect(draw(flow)).toBe('{add({"y":2,"x":1})}')
    expect(flow.members[0]).toMatchObject({ settings: { priority: 5 }, whenFailed: { task: 'report' } })
  })

  test('refuses an input that can not fill the rest', () => {
    const half = task('add', {}).with({ x: 1 } as never) as unknown as typeof add
    expect(() => map(half, [5 as never])).toThrow(
      'add has some fields bound and needs an object with the rest, got 5.',
    )
    expect(() => map(inc, 5 as never)).toThrow('Expected the inputs of map to be an array, got 5.')
  })
})

describe('chunks', () => {
  test.each([
    [[1, 2, 3, 4, 5], 2, '{sum([1,2]), sum([3,4]), sum([5])}'],
    [[1, 2], 2, '{sum([1,2])}'],
    [[1], 10, '{sum([1])}'],
    [[], 3, '{}'],
  ])('of %j by %i', (inputs, size, drawn) => {
    expect(draw(value(chunks(sum, inputs, size)))).toBe(drawn)
  })

  test.each([0, -1, 1.5, Number.NaN])('refuses the size %d', (size) => {
    expect(() => chunks(sum, [1], size)).toThrow('Expected the size of chunks to be a whole number from 1')
  })
})

describe('a flow', () => {
  test('changes only as a copy', () => {
    const flow = chain(inc.with(1), inc)
    const handled = flow.onError(report).onSuccess(report.with().detached()).detached()
    expect(value(flow)).not.toHaveProperty('whenFailed')
    expect(value(handled)).toMatchObject({
      whenFailed: { task: 'report', bound: 'nothing' },
      whenSucceeded: { task: 'report', bound: 'whole' },
      ignoresPrevious: true,
    })
    expect(() => flow.onError(flow as never)).toThrow(
      'Expected onError to be given a task or a signature, got chain.',
    )
  })

  test('may hold the same signature many times', () => {
    const one = inc.with(1)
    const { members } = value<GroupValue>(group([one, one, one]))
    expect(new Set(members).size).toBe(1)
  })

  test('is what partOf reads; a bare task is a signature with nothing bound', () => {
    const flow = chain(inc.with(1))
    expect(partOf(flow)).toBe(flow)
    expect(partOf(inc.with(1))).toMatchObject({ bound: 'whole', input: 1 })
    expect((partOf(add) as SignatureValue).definition).toBe(add)
    expect(() => partOf('add')).toThrow(
      'Expected what is enqueued to be a task, signature or flow, got "add".',
    )
  })
})
