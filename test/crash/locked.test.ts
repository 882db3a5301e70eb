import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { openStage } from './stage.ts'

const { quick, told } = tasksOf()

describe('while another program holds an SQLite file locked', () => {
  test('a worker runs on, and what it has done is written once the file is free', async () => {
    await using stage = await openStage('sqlite')
    const job = await stage.app.enqueue(told.with({}))
    const worker = await stage.worker('first', { lease: 500 })
    await worker.saw({ did: 'run', id: job.id })
    const unlock = stage.place.lock!()
    worker.tell(job.id, { by: 'return', progress: 50 })
    await worker.saw({ did: 'finish', id: job.id })
    const next = stage.app.enqueue(quick.with({}))
    // Three leases: the worker can't renew, and nobody can take its job away.
    await sleep(1500)
    expect(await job.state()).toBe('active')
    unlock()
    await job.result()
    await (await next).result()
    expect(await job.info()).toMatchObject({ state: 'succeeded', attempt: 1 })
    worker.signal('SIGTERM')
    expect(await worker.exited()).toBe(0)
  })

  // A thread that is ended within a call of the packaged SQLite library takes the process with it.
  test('a worker that is asked to stop exits with 0 once the file is free', async () => {
    await using stage = await openStage('sqlite')
    const worker = await stage.worker('first', { lease: 500 })
    const unlock = stage.place.lock!()
    await sleep(500)
    worker.signal('SIGTERM')
    await worker.saw({ did: 'log', message: 'worker stopping' })
    await sleep(2500)
    unlock()
    expect(await worker.exited()).toBe(0)
  })
})
