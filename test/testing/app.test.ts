import { chain, group, RetryLater, task } from 'millrace'
import { testApp } from 'millrace/testing'
import { expect, test } from 'vitest'

const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const total = task('total', (values: number[]) => values.reduce((sum, value) => sum + value, 0))

test('nothing runs until the test says so', async () => {
  await using mill = testApp({ tasks: [add] })
  const job = await mill.app.enqueue(add.with({ x: 1, y: 2 }))
  expect(await job.state()).toBe('waiting')
  expect(await mill.drain()).toBe(1)
  expect(await job.result()).toBe(3)
  expect(await mill.drain()).toBe(0)
})

test('what was enqueued is told in order, by task', async () => {
  await using mill = testApp({ tasks: [add] })
  await mill.app.enqueue(add.with({ x: 1, y: 2 }), { id: 'first', priority: 3, headers: { who: 'me' } })
  await mill.app.enqueue(add.with({ x: 1, y: 2 }), { id: 'first' })
  await mill.app.enqueue(total.with([1]), { delay: '5m', queue: 'slow' })
  expect(mill.enqueued(add)).toEqual([
    {
      id: 'first',
      task: 'add',
      input: { x: 1, y: 2 },
      queue: 'default',
      priority: 3,
      headers: { who: 'me' },
    },
  ])
  expect(mill.enqueued()[1]).toMatchObject({ task: 'total', queue: 'slow', delay: 300_000 })
})

test('delays and retries wait for the clock', async () => {
  const runs: number[] = []
  const flaky = task(
    'flaky',
    { retry: { attempts: 3, backoff: 'fixed', from: '1m' } },
    (_: null, { attempt }) => {
      runs.push(attempt)
      if (attempt < 3) throw new Error('not yet')
      return attempt
    },
  )
  await using mill = testApp({ tasks: [flaky] })
  const job = await mill.app.enqueue(flaky.with(null), { delay: '1h' })
  expect(await mill.advance('59m')).toBe(0)
  expect(await mill.advance('1m')).toBe(1)
  expect(await job.state()).toBe('retrying')
  expect(await mill.advance('1m')).toBe(1)
  expect(await mill.advance('1m')).toBe(1)
  expect(await job.result()).toBe(3)
  expect(runs).toEqual([1, 2, 3])
})

test('the options of the app hold for its jobs', async () => {
  const broken = task('broken', () => {
    throw new Error('no')
  })
  await using mill = testApp({ tasks: [broken], retry: 1 })
  const job = await mill.app.enqueue(broken.with(undefined))
  await mill.drain()
  expect(await job.state()).toBe('failed')
})

test('a flow runs to its end, with what handlers enqueue', async () => {
  await using mill = testApp({ tasks: [add, total] })
  const flow = await mill.app.enqueue(
    chain(group([add.with({ x: 1, y: 1 }), add.with({ x: 2, y: 2 })]), total),
  )
  expect(await mill.drain()).toBe(3)
  expect(await flow.result()).toBe(6)
  expect(mill.enqueued(total)).toMatchObject([{ flow: flow.id }])
})

test('a job asked to come later comes later', async () => {
  let asked = 0
  const patient = task('patient', () => {
    if (++asked < 3) throw new RetryLater('10m')
    return asked
  })
  await using mill = testApp({ tasks: [patient] })
  const job = await mill.app.enqueue(patient.with(undefined))
  await mill.drain()
  await mill.advance('10m')
  await mill.advance('10m')
  expect(await job.result()).toBe(3)
})

test('the clock stops at every time that something is due', async () => {
  const runs: number[] = []
  const flaky = task(
    'flaky',
    { retry: { attempts: 4, backoff: 'fixed', from: '10s' } },
    (_: null, { attempt }) => {
      runs.push(attempt)
      if (attempt < 4) throw new Error('not yet')
      return attempt
    },
  )
  await using mill = testApp({ tasks: [flaky] })
  const job = await mill.app.enqueue(flaky.with(null))
  expect(await mill.advance('1m')).toBe(4)
  expect(await job.result()).toBe(4)
})

test('a cancel reaches the handler that runs', async () => {
  let start = () => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  const slow = task('slow', async (_: null, { signal }) => {
    start()
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await using mill = testApp({ tasks: [slow] })
  const job = await mill.app.enqueue(slow.with(null))
  const draining = mill.drain()
  await started
  expect(await job.cancel()).toBe('cancelling')
  expect(await draining).toBe(1)
  expect(await job.state()).toBe('cancelled')
})
