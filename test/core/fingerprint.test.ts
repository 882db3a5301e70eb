import { expect, test } from 'vitest'
import { fingerprint, pattern } from '../../src/core/fingerprint.ts'

const failure = (message: string, name = 'Error') => ({ code: 'TASK_FAILED', name, message }) as const

test.each([
  ['order 17 is gone', 'order 18 is gone'],
  ['job 018f3c1e-7a2b-7c3d-8e4f-0123456789ab was lost', 'job 018f3c1e-7a2b-7c3d-8e4f-ba9876543210 was lost'],
  ['GET https://a.example/x?y=1 failed', 'GET https://b.example/z failed'],
  ['no user "ann" here', 'no user "bob" here'],
  ['at 0xdeadbeef', 'at 0x1'],
  ['commit 847045a1b2c3 not found', 'commit 0f0142e9d8c7 not found'],
  ['took 1.5 s', 'took 20 s'],
])('%j and %j have the same cause', (one, other) => {
  expect(fingerprint('t', failure(one))).toBe(fingerprint('t', failure(other)))
})

test('another task, code, name or wording is another cause', () => {
  const prints = [
    fingerprint('t', failure('gone')),
    fingerprint('u', failure('gone')),
    fingerprint('t', failure('gone', 'TypeError')),
    fingerprint('t', failure('lost')),
    fingerprint('t', { ...failure('gone'), code: 'TIMEOUT' }),
  ]
  expect(new Set(prints).size).toBe(5)
  for (const print of prints) expect(print).toMatch(/^[0-9a-f]{8}$/)
})

test('words that are letters alone are no numbers', () => {
  expect(pattern('the facade of a deadbeef decade')).toBe('the facade of a deadbeef decade')
})

test('of a long message the beginning tells', () => {
  const start = 'x '.repeat(150)
  expect(fingerprint('t', failure(`${start}a`))).toBe(fingerprint('t', failure(`${start}b`)))
})
