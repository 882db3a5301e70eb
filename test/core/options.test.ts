import { describe, expect, test } from 'vitest'
import { distance, nearest } from '../../src/core/nearest.ts'
import { checkId, checkName, checkOptions, checkPriority } from '../../src/core/options.ts'

describe('options', () => {
  const known = ['delay', 'priority', 'queue', 'retry', 'timeout']

  test.each([
    ['prioirty', 'enqueue has no option "prioirty". Did you mean "priority"?'],
    ['Queue', 'Did you mean "queue"?'],
    ['retrys', 'Did you mean "retry"?'],
    ['colour', 'Known are: delay, priority, queue, retry, timeout.'],
    ['__proto__', 'Known are'],
    ['\u001b[31m', String.raw`"\u001b[31m"`],
  ])('an unknown one is refused: %j', (name, message) => {
    const given = JSON.parse(`{${JSON.stringify(name)}:1}`)
    expect(() => checkOptions(given, known, 'enqueue')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    )
    expect(() => checkOptions(given, known, 'enqueue')).toThrow(message)
  })

  test.each([[null], ['x'], [[]], [undefined], [() => 1]])('%j is no object of options', (given) => {
    expect(() => checkOptions(given, known, 'enqueue')).toThrow(
      'Expected the options of enqueue to be an object',
    )
  })

  test('known ones pass', () => {
    expect(() => checkOptions({ delay: 1, queue: undefined }, known, 'enqueue')).not.toThrow()
  })

  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['prioirty', 'priority', 1],
    ['abcd', 'badc', 2],
  ])('from %j to %j it is %i edits, both ways', (a, b, edits) => {
    expect(distance(a, b)).toBe(edits)
    expect(distance(b, a)).toBe(edits)
  })

  test('a name that is far from all has no nearest', () => {
    expect(nearest('x', ['queue'])).toBeUndefined()
    expect(nearest('q'.repeat(1_000_000), ['queue'])).toBeUndefined()
  })
})

describe('an id', () => {
  test.each([['thumb:cat'], ['a'], ['ä 日本'], ['x'.repeat(200)]])('%j is fine', (id) => {
    expect(checkId(id)).toBe(id)
  })
  test.each([
    [''],
    ['x'.repeat(201)],
    ['a/b'],
    ['a@b'],
    ['a\nb'],
    ['a\u0000'],
    ['\u2028'],
    ['\ud800'],
    [5],
    [null],
  ])('%j is refused', (id) => {
    expect(() => checkId(id)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }))
  })
})

describe('a name', () => {
  test.each([['image.thumbnail'], ['a/b'], ['toString'], ['send mail']])('%j is fine', (name) => {
    expect(checkName(name, 'queue')).toBe(name)
  })
  test.each([[''], [' a'], ['a '], ['a,b'], ['a\tb'], ['x'.repeat(201)], [undefined], [{}]])(
    '%j is refused',
    (name) => {
      expect(() => checkName(name, 'queue')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
      expect(() => checkName(name, 'queue')).toThrow('Expected queue to be')
    },
  )
})

describe('a priority', () => {
  test.each([0, 1, 9])('%i is fine', (priority) => {
    expect(checkPriority(priority)).toBe(priority)
  })
  test.each([[-1], [10], [1.5], ['3'], [Number.NaN], [null]])('%j is refused', (priority) => {
    expect(() => checkPriority(priority)).toThrow('Expected priority to be a whole number from 0 to 9')
  })
  test('-0 is 0', () => {
    expect(Object.is(checkPriority(-0), 0)).toBe(true)
  })
})
