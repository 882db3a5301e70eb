import { describe, expect, test } from 'vitest'
import { redact } from '../../src/async/redact.ts'
import { suggest } from '../../src/cli/suggest.ts'
import { table } from '../../src/cli/table.ts'
import { cut, visible, visibleJson, visibleLines, width } from '../../src/cli/text.ts'
import { age, span } from '../../src/cli/time.ts'

describe('data on a terminal', () => {
  test.each([
    ['\x1b[2J\x07', '\\x1b[2J\\x07'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\u009b31m\x7f', '\\x9b31m\\x7f'],
    ['\u202etxt.exe\u2066', '\\u202etxt.exe\\u2066'],
    ['\u2028\ud800', '\\u2028\\ud800'],
    ['naïve 日本 👩‍👩‍👧', 'naïve 日本 👩‍👩‍👧'],
  ])('what could steer it is shown, not sent: %j', (given, shown) => {
    expect(visible(given)).toBe(shown)
  })

  test('a text of several lines keeps them', () => {
    expect(visibleLines('a\n\x1b[1m')).toBe('a\n\\x1b[1m')
  })

  test('JSON still means the same', () => {
    const value = { text: '\x1b\x7f\u009b\u202e\u2028\ud800', '\u009b': ['👩‍👧'] }
    const json = visibleJson(JSON.stringify(value, null, 2))
    expect(JSON.parse(json)).toEqual(value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
    expect(json).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/)
  })

  test.each([
    ['plain', 5],
    ['日本', 4],
    ['👩‍👩‍👧!', 3],
    ['e\u0301', 1],
  ])('%s is %i columns wide', (text, columns) => {
    expect(width(text)).toBe(columns)
  })

  test('what is cut ends in a dot that stands for it, and never in half a character', () => {
    expect(cut('日本語', 4)).toBe('日…')
    expect(cut('abc', 3)).toBe('abc')
  })
})

describe('a table', () => {
  const rows = [
    { id: 'a'.repeat(20), note: 'one \x1b[31m two three four', size: 5 },
    { id: 'b', note: '', size: 12345 },
  ]
  const columns = [
    { title: 'ID', of: (row: (typeof rows)[0]) => row.id },
    { title: 'NOTE', of: (row: (typeof rows)[0]) => row.note, least: 6 },
    { title: 'SIZE', of: (row: (typeof rows)[0]) => String(row.size), right: true },
  ]
  const plain = (text: string) => text

  test('is as wide as its values where no terminal shows it', () => {
    expect(table(rows, columns, undefined, plain).split('\n')).toEqual([
      'ID                    NOTE                          SIZE',
      `${'a'.repeat(20)}  one \\x1b[31m two three four      5`,
      'b                                                  12345',
    ])
  })

  test.each([50, 40, 36, 30, 20, 10])('fits a terminal of %i columns', (size) => {
    for (const line of table(rows, columns, size, plain).split('\n')) {
      expect(width(line)).toBeLessThanOrEqual(size)
    }
  })

  test('cuts what may be cut before it leaves out a column', () => {
    expect(table(rows, columns, 36, plain).split('\n')[1]).toBe(`${'a'.repeat(20)}  one \\x…      5`)
    expect(table(rows, columns, 30, plain).split('\n')[0]).toBe('ID                    NOTE')
  })
})

test.each([
  ['redis://user:secret@host:6379/0', 'redis://user:***@host:6379/0'],
  ['redis://:secret@host', 'redis://:***@host'],
  ['redis://secret@host', 'redis://***@host'],
  ['redis://user:se/cr@et?x@host/1', 'redis://user:***@host/1'],
  ['amqp://a:secret@h/v?results=redis://b:secret@i', 'amqp://a:***@h/v?results=redis://b:***@i'],
  ['amqp://h?results=redis%3A%2F%2Fb%3Asecret%40i', 'amqp://h?results=redis%3A%2F%2F***%40i'],
  ['redis://h?password=secret&db=1', 'redis://h?password=***&db=1'],
  ['can not reach "redis://u:secret@h": me@home', 'can not reach "redis://u:***@h": me@home'],
  ['sqlite:./millrace.db?durability=normal', 'sqlite:./millrace.db?durability=normal'],
])('no password is printed: %s', (given, shown) => {
  expect(redact(given)).toBe(shown)
})

test.each([
  [5, '5ms'],
  [3_449, '3.4s'],
  [65_000, '1m5s'],
  [7_200_000, '2h'],
  [90_061_000, '1d1h'],
])('%i ms are told as %s', (ms, told) => {
  expect(span(ms)).toBe(told)
})

test('a time is told by how long ago it was, or in how long it will be', () => {
  expect(age(new Date(0), 60_000)).toBe('1m ago')
  expect(age(new Date(60_000), 0)).toBe('in 1m')
})

test('a mistyped name brings up the nearest, and another one none', () => {
  expect(suggest('concurency', ['queues', 'concurrency'])).toBe('concurrency')
  expect(suggest('zzz', ['queues', 'concurrency'])).toBeUndefined()
})
