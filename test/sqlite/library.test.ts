import { expect, test } from 'vitest'
import { loadLibrary, supported } from '../../src/drivers/sqlite/library.ts'

test.each([
  ['3.51.3', true],
  ['3.51.4', true],
  ['3.52.0', true],
  ['3.53', true],
  ['4.0.0', true],
  ['3.100.0', true],
  ['3.51.2', false],
  ['3.51', false],
  ['3.50.9', false],
  ['3.45.1', false],
  ['3.7.0', false],
  ['2.99.99', false],
  ['', false],
  ['unknown', false],
])('SQLite %j is supported: %j', (version, expected) => {
  expect(supported(version)).toBe(expected)
})

test('the library that is loaded here is a supported one', () => {
  const database = loadLibrary().open(':memory:')
  const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  database.close()
  expect(supported(version)).toBe(true)
})
