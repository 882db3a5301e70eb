import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { open, sqlite } from '../../src/drivers/sqlite/index.ts'
import { parse } from '../../src/drivers/sqlite/url.ts'

describe('the URL of a file', () => {
  test.each([
    ['sqlite:./millrace.db', resolve('millrace.db')],
    ['sqlite:millrace.db', resolve('millrace.db')],
    ['sqlite:../jobs.db', resolve('../jobs.db')],
    ['sqlite:/var/lib/jobs.db', '/var/lib/jobs.db'],
    ['sqlite:///var/lib/jobs.db', '/var/lib/jobs.db'],
    ['sqlite:///with%20space.db', '/with space.db'],
    ['sqlite:/with%20space.db', '/with space.db'],
    ['sqlite:/100%.db', '/100%.db'],
    ['SQLite:/jobs.db', '/jobs.db'],
  ])('%s names %s', (url, path) => {
    expect(parse(url)).toMatchObject({ path, durability: 'full', busyTimeout: 10_000 })
  })

  test('a query sets the options', () => {
    expect(parse('sqlite:/a.db?durability=normal&busyTimeout=250&create=false')).toMatchObject({
      path: '/a.db',
      durability: 'normal',
      busyTimeout: 250,
      create: false,
    })
  })

  test.each([
    ['sqlite:', 'BAD_URL'],
    ['sqlite::memory:', 'BAD_URL'],
    ['sqlite://host/jobs.db', 'BAD_URL'],
    ['sqlite:/a.db?durabilty=normal', 'UNKNOWN_OPTION'],
    ['sqlite:/a.db?durability=none', 'INVALID_OPTION'],
    ['sqlite:/a.db?busyTimeout=soon', 'INVALID_OPTION'],
    ['sqlite:/a.db?busyTimeout=', 'INVALID_OPTION'],
    ['sqlite:/a.db?busyTimeout=-1', 'INVALID_OPTION'],
    ['sqlite:/a.db?create=perhaps', 'INVALID_OPTION'],
  ])('%s is refused with %s', (url, code) => {
    expect(() => open(url)).toThrow(expect.objectContaining({ name: 'UsageError', code }))
  })
})

test('options are checked when the backend is made', () => {
  for (const options of [
    { path: '' },
    { path: 'a.db', durability: 'some' },
    { path: 'a.db', busyTimeout: Number.NaN },
    { path: 'a.db', create: 'no' },
  ]) {
    expect(() => sqlite(options as { path: string })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  }
})
