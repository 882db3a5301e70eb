import { expect, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import type { Backend } from '../../src/port/index.ts'
import { seamConformance } from '../../src/testing/conformance/index.ts'
import { tryFlows } from './flows/property.ts'
import { mutants } from './mutants.ts'

/** The suite's tests by title, over memory as this mutant changes it. */
function suiteOver(mutate: () => (backend: Backend) => Backend): Map<string, () => Promise<void>> {
  const spaces = new Map<string, (backend: Backend) => Backend>()
  const tests = new Map<string, () => Promise<void>>()
  seamConformance({
    test: (title, run) => tests.set(title, run),
    patience: 100,
    open(namespace) {
      const change = spaces.get(namespace) ?? mutate()
      spaces.set(namespace, change)
      return change(memory(`mutant-${namespace}`))
    },
  })
  return tests
}

const sound = suiteOver(() => (backend) => backend)

for (const { broken, noticed, mutate } of mutants) {
  test(`the suite notices when ${broken}`, async () => {
    await sound.get(noticed)!()
    await expect(suiteOver(mutate).get(noticed)!()).rejects.toThrow(/Expected/)
  })
}

for (const { broken, mutate } of mutants.filter(({ flows }) => flows)) {
  test(`random flows notice when ${broken}`, async () => {
    const change = mutate()
    const backends = [change(memory(`flows-${broken}`)), change(memory(`flows-${broken}`))]
    await expect(tryFlows(backends, { numRuns: 300, endOnFailure: true })).rejects.toThrow('Property failed')
  })
}

test('every sentence of the suite has a title of its own', () => {
  const titles: string[] = []
  seamConformance({ test: (title) => titles.push(title), open: () => memory() })
  expect(new Set(titles).size).toBe(titles.length)
})

test('a sentence that cannot hold on a backend is skipped with its reason, and must exist', () => {
  const skipped: string[] = []
  const declare = Object.assign(() => {}, { skip: (title: string) => skipped.push(title) })
  const except = { 'namespaces keep apart': 'this broker has only one' }
  seamConformance({ test: declare, open: () => memory(), except })
  expect(skipped).toEqual(['namespaces keep apart (this broker has only one)'])
  const misspelt = { 'name spaces keep apart': 'this broker has only one' }
  expect(() => seamConformance({ test: declare, open: () => memory(), except: misspelt })).toThrow(
    'name spaces keep apart',
  )
})
