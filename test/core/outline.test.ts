import { expect, test } from 'vitest'
import { chain, group, partOf } from '../../src/core/flow.ts'
import { pathOf } from '../../src/core/ids.ts'
import { onlyStep, outlineOf, packOutline, unpackOutline } from '../../src/core/outline.ts'
import { task } from '../../src/core/task.ts'

const inc = task('inc', (n: number) => n + 1)
const sum = task('sum', (list: readonly number[]) => list.length)
const report = task('report', (_: unknown) => {})

test.each<[string, unknown, unknown]>([
  ['a step is the name of its task', inc.with(1), 'inc'],
  ['a step with handlers is an object', inc.with(1).onError(report), { step: 'inc', onError: 'report' }],
  ['a chain is its steps', chain(inc.with(1), inc), { chain: ['inc', 'inc'] }],
  ['a group is its members', group([]), { group: [] }],
  [
    'parts are nested as they were declared, with their handlers',
    chain(group([inc.with(1), chain(inc.with(1))]).onSuccess(report), sum).onError(report),
    {
      chain: [{ group: ['inc', { chain: ['inc'] }], onSuccess: 'report' }, 'sum'],
      onError: 'report',
    },
  ],
])('%s', (_, flow, shape) => {
  expect(outlineOf(partOf(flow))).toEqual(shape)
  const outline = { shape: outlineOf(partOf(flow)), retryOf: 'before' }
  expect(unpackOutline(packOutline(outline))).toEqual(outline)
})

test('the only step of a flow is that of a job with handlers', () => {
  const outline = (flow: unknown) => packOutline({ shape: outlineOf(partOf(flow)) })
  expect(onlyStep('f', outline(inc.with(1).onError(report)))).toBe('f/')
  expect(onlyStep('f', outline(chain(inc.with(1)).onError(report)))).toBeUndefined()
  expect(onlyStep('f', outline(group([inc.with(1)])))).toBeUndefined()
})

test.each<[string, number[]]>([
  ['f/0', [0]],
  ['f/2.10.0', [2, 10, 0]],
  ['f/', []],
])('the place of %s', (id, path) => {
  expect(pathOf(id)).toEqual(path)
})
