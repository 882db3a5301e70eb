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
