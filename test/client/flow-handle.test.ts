import { expect, test } from 'vitest'
import { connect } from '../../src/app.ts'
import { chain } from '../../src/core/flow.ts'
import { task } from '../../src/core/task.ts'
import { memory } from '../../src/drivers/memory/index.ts'

const fail = task('fail', { retry: 1 }, (_: number): number => {
  throw new Error('no')
})
const inc = task('inc', (n: number) => n + 1)

test('a flow of which some records are gone already is gone as a whole, and is not run again without them', async () => {
  const backend = memory()
  const { records } = backend
  const fading = {
    ...backend,
    records: {
      ...records,
      get: async (ids: readonly string[]) =>
        (await records.get(ids)).map((record, i) => (ids[i]!.endsWith('/0') ? undefined : record)),
    },
  }
  const app = connect(fading, { logger: false })
  const worker = app.worker({ tasks: [inc, fail], signals: false })
  const running = worker.run()
  const flow = await app.enqueue(chain(inc.with(1), fail))
  await expect.poll(() => flow.state()).toBe('failed')
  expect(await flow.steps()).toEqual([])
  expect(await flow.tree()).toBeUndefined()
  await expect(flow.settled()).rejects.toMatchObject({ code: 'NOT_KEPT' })
  await expect(flow.retry()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' })
  await worker.stop()
  await running
  await app.close()
})
