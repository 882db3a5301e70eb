import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compile, type Fault } from './compile.ts'
import { samplesOf } from './samples.ts'

const root = new URL('../../', import.meta.url)
const samples = documents().flatMap((path) => samplesOf(path, readFileSync(new URL(path, root), 'utf8')))

let faults: Fault[] | undefined
/** One program for all samples: the types of Node and of the packages are read once. */
function faultsOf(sample: object): string[] {
  faults ??= compile(samples)
  return faults.filter((fault) => fault.sample === sample).map((fault) => fault.message)
}

test('the documents hold samples', () => {
  expect(samples.length).toBeGreaterThan(0)
})

for (const sample of samples.filter(({ unchecked }) => unchecked === undefined)) {
  test(`${sample.document}:${sample.line} ${sample.title ?? 'sample'} compiles`, { timeout: 60_000 }, () => {
    expect(faultsOf(sample).join('\n')).toBe('')
  })
}

function documents(): string[] {
  const docs = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
  return [
    'README.md',
    ...docs
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`)
      .sort(),
  ].filter((path) => existsSync(new URL(path, root)))
}
