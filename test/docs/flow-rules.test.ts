import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { memory } from '../../src/drivers/memory/index.ts'
import { appConformance } from '../../src/testing/contract/index.ts'

test('the guide to the rules of flows names the subject of the contract that shows each', () => {
  const page = readFileSync(new URL('../../docs/flow-rules.md', import.meta.url), 'utf8')
  const told = [...page.matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)].map(([, rule, subjects]) => [
    rule,
    subjects,
  ])

  const shown = new Map<string, Set<string>>()
  let subject = ''
  appConformance({
    describe(title, run) {
      subject = title
      run()
    },
    test(title) {
      const rule = /^rule (\d+):/.exec(title)?.[1]
      if (rule) shown.set(rule, (shown.get(rule) ?? new Set()).add(subject))
    },
    open: () => memory(),
  })
  const rules = Array.from({ length: 30 }, (_, i) => String(i + 1))
  expect(told).toEqual(rules.map((rule) => [rule, [...(shown.get(rule) ?? [])].join(', ')]))
})
