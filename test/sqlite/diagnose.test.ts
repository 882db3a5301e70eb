import { expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { supported } from '../../src/drivers/sqlite/library.ts'
import { testFolder } from './folder.ts'

const { fresh } = testFolder()

test('a diagnosis names the file, the library and the schema', async () => {
  const path = fresh()
  await using backend = sqlite({ path })
  const { backend: name, versions, clockSkew } = await backend.diagnose()
  expect(name).toBe(`sqlite:${path}`)
  expect(supported(versions.sqlite!)).toBe(true)
  expect(versions.schema).toBe('2')
  expect(versions.library).toMatch(/sqlite$/)
  expect(Math.abs(clockSkew)).toBeLessThan(1000)
})

test('a diagnosis warns of what a power cut may lose', async () => {
  const path = fresh()
  await using full = sqlite({ path })
  expect((await full.diagnose()).warnings.join()).not.toContain('power cut')
  await using normal = sqlite({ path, durability: 'normal' })
  expect((await normal.diagnose()).warnings.join()).toContain('power cut')
})
