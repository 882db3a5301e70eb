import assert from 'node:assert/strict'
import { test } from 'vitest'
import { createLooks } from '../../src/drivers/sharded/looks.ts'
import type { Delivery } from '../../src/port/index.ts'

const never = new AbortController().signal
const delivery = (id: string): Delivery =>
  ({ job: { id }, token: 1, attempt: 1, crashes: 0, age: 0, tag: {} }) as unknown as Delivery
const idsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ job }) => job.id)

/** Two parts: a take has ended with the job of the first, and that of the second has come after it. */
async function surplus() {
  const answers: ((found: Delivery[]) => void)[] = []
  const back: string[] = []
  let heard = () => {}
  const looks = createLooks(2, {
    look: (part) =>
      new Promise((resolve) => {
        answers[part] = (found) => resolve({ found, passedOver: false })
        heard()
      }),
    leave() {},
    handBack: (_, deliveries) => void back.push(...idsOf(deliveries)),
  })
  const first = looks.take(2, never)
  answers[0]!([delivery('a')])
  assert.deepEqual(idsOf(await first), ['a'])
  const late = delivery('b')
  answers[1]!([late])
  await new Promise((resolve) => setImmediate(resolve))
  const asked = () =>
    new Promise<void>((resolve) => {
      heard = resolve
    })
  return { looks, late, back, answers, asked }
}

test('what comes after a take has ended is for the next', async () => {
  const { looks, back } = await surplus()
  assert.deepEqual(idsOf(await looks.take(2, never)), ['b'])
  assert.deepEqual(back, [])
  looks.stop()
})

test('what was lost before it was handed out never is', async () => {
  const { looks, late, back, answers, asked } = await surplus()
  looks.drop([late])
  const wait = asked()
  const next = looks.take(2, never)
  await wait
  answers[0]!([delivery('c')])
  assert.deepEqual(idsOf(await next), ['c'])
  assert.deepEqual(back, [])
  looks.stop()
})

test('what was found before this process stood still goes back', async () => {
  const { looks, back, answers, asked } = await surplus()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  const wait = asked()
  const next = looks.take(2, never)
  assert.deepEqual(back, ['b'])
  await wait
  answers[0]!([delivery('c')])
  assert.deepEqual(idsOf(await next), ['c'])
  looks.stop()
})
