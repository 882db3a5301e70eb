import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, openStage, until } from './stage.ts'

const { echo, quick } = tasksOf()

describe.each(backends)('a job whose task no worker knows, on %s', (backend) => {
  test('waits through a rolling deploy, visibly, while other tasks run, and costs no attempt', async () => {
    await using stage = await openStage(backend)
    const job = await stage.app.enqueue(echo.with('hello'))
    const old = await stage.worker('old', { tasks: ['quick'] })
    await until(async () => (await job.state()) === 'retrying', 'it goes back')
    expect(await job.info()).toMatchObject({
      attempt: 1,
      crashes: 0,
      attempts: [{ error: { code: 'UNKNOWN_TASK', message: 'this worker has no task "echo"' } }],
    })
    for (const other of await stage.app.enqueue(Array.from({ length: 20 }, () => quick.with({}))))
      await other.result()

    await stage.worker('new')
    old.signal('SIGTERM')
    expect(await job.result()).toBe('hello')
    expect((await job.info())?.attempt).toBe(1)
    expect(await old.exited()).toBe(0)
  })

  test('fails once nobody has known it for unknownTaskAfter', async () => {
    await using stage = await openStage(backend)
    const job = await stage.app.enqueue(echo.with('hello'))
    await stage.worker('old', { tasks: ['quick'], unknownTaskAfter: '1s' })
    await expect(job.result()).rejects.toMatchObject({ code: 'UNKNOWN_TASK', attempts: 1 })
    const { created, ended } = (await job.info())!
    expect(ended!.getTime() - created.getTime()).toBeGreaterThanOrEqual(1000)
    expect(ended!.getTime() - created.getTime()).toBeLessThan(3000)
  })
})
