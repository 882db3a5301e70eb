/** The task files that the tests of the command line serve. */
export const TASKS = `
import { Discard, task } from 'millrace'
import { z } from 'zod'
import { Pace } from './pace'

export const add = task(
  'add',
  { input: z.object({ x: z.number(), y: z.number() }), queue: 'sums' },
  ({ x, y }) => x + y,
)
export const values = task('values', { keep: '1d' }, () => ({
  date: new Date(0),
  big: 12345678901234567890n,
  map: new Map([['a', 1]]),
  bytes: new Uint8Array([1, 2, 3]),
  nothing: undefined,
}))
export const evil = task('evil', { retry: 1 }, (input) => {
  throw new TypeError('\\x1b[2J\\x1b]0;owned\\x07 \\u009b31m \\u202etxt.exe', { cause: new Error('\\x1b[5m') })
})
export const nothing = task('nothing', () => undefined)
export const steps = task('steps', async (input, { progress, signal }) => {
  progress(50, 'half way')
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  throw new Discard('told to')
})
export const pace: string = Pace.Slow
`

export const PACE = `export enum Pace { Slow = 'slow' }`

export const MORE = `
import { task } from 'millrace'
export const contract = task('contract', {})
export default [task('more', ({ n }: { n: number }) => n * 2)]
`
