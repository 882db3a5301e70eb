import { connect, type Logger, task } from 'millrace'
import { expect, test } from 'vitest'

// It takes the five seconds after which a wait counts as long; what is warned of is the same everywhere.
test('a handler that waits for what only its own place could run is warned of, and says what to do', async () => {
  const warnings: string[] = []
  const silent = () => {}
  const logger: Logger = {
    debug: silent,
    info: silent,
    error: silent,
    warn: (_, line) => warnings.push(line),
  }
  const app = connect('memory:warning', { logger })
  const producer = connect('memory:warning')
  const inner = task('inner', () => 'inner')
  const outer = task('outer', { retry: 1 }, async () => {
    return (await app.enqueue(inner.with())).result({ timeout: '5.3s' })
  })
  const worker = app.worker({ tasks: [inner, outer], concurrency: 1, signals: false })
  const running = worker.run()
  const job = await producer.enqueue(outer.with())
  await expect(job.result()).rejects.toMatchObject({ code: 'TASK_FAILED', errorCode: 'RESULT_TIMEOUT' })
  expect(warnings).toEqual([expect.stringMatching(/every place of this worker is taken.*step of a chain/)])
  await Promise.all([app.close(), producer.close()])
  await running
})
