import { connect, group, task } from 'millrace'
import { expect, test } from 'vitest'

const refusesLater = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: async () => ({ issues: [{ message: 'refused later' }] }),
  },
}
const slow = task('slow', { input: refusesLater }, () => 1)
const quick = task('quick', (input: { f: unknown }) => input)
const wrong = quick.with({ f: () => 1 })

// Vitest fails the run on an unhandled rejection, which would end a user's process.
test('an input refused later leaves no unhandled rejection when another is refused at once', async () => {
  const app = connect('memory:')
  await expect(app.enqueue([slow.with({}), wrong])).rejects.toThrow('[1]: input.f is a function')
  await expect(app.enqueue(group([slow.with({}), wrong]))).rejects.toThrow('input.f is a function')
  await expect(app.enqueue([wrong, slow.with({})])).rejects.toThrow('[0]: input.f is a function')
  await expect(app.enqueue([slow.with({}), slow.with({})])).rejects.toThrow('[0]: slow: input: refused later')
  await app.close()
})

test('an array with a hole is refused like one with undefined in it', async () => {
  const app = connect('memory:')
  await expect(app.enqueue(new Array(1))).rejects.toThrow('[0]: Expected what is enqueued to be a task')
  await app.close()
})

test('close() lets what is being enqueued come through', async () => {
  const app = connect('memory:', { logger: false })
  const job = app.enqueue(task('t', (x: number) => x).with(1))
  await app.close()
  expect((await job).status).toBe('accepted')
})

test('an input in the place of the options is told where it belongs', async () => {
  const app = connect('memory:', { logger: false })
  const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
  // @ts-expect-error the input is not bound
  await expect(app.enqueue(add, { x: 1, y: 2 })).rejects.toThrow('enqueue(add.with(input), options)')
  await app.close()
})

test('a wait that ends says where the job stands', async () => {
  const app = connect('memory:', { logger: false })
  const job = await app.enqueue(task('lonely', () => 1).with(undefined), { queue: 'far' })
  await expect(job.result({ timeout: '20ms' })).rejects.toThrow('waits in the queue "far"')
  await app.close()
})
