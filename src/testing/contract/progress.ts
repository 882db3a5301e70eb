import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { deferred, door, inc } from './build.ts'
import type { Subject } from './stage.ts'

export const progress: Subject = {
  'progress is seen from another process, and its iteration ends with the job': async (stage) => {
    const steps = [deferred(), deferred(), deferred()]
    const work = task('work', async (_, context) => {
      for (const [i, { promise }] of steps.entries()) {
        context.progress((i + 1) * 25, `step ${i + 1}`)
        await promise
      }
    })
    await stage.worker([work])
    const job = await stage.app.enqueue(work.with(null))
    const seen: unknown[] = []
    for await (const report of (await stage.process()).job(job.id).progress) {
      seen.push(report)
      steps[seen.length - 1]!.resolve()
    }
    assert.deepEqual(seen, [
      { percent: 25, note: 'step 1' },
      { percent: 50, note: 'step 2' },
      { percent: 75, note: 'step 3' },
    ])
    assert.equal(await job.state(), 'succeeded')
  },

  'progress may be followed many times, and from its middle': async (stage) => {
    const { through, reached, open } = door()
    const work = task('work', async (_, context) => {
      context.progress(50)
      await through()
    })
    await stage.worker([work])
    const job = await stage.app.enqueue(work.with(null))
    await reached()
    for (let i = 0; i < 3; i++) {
      for await (const report of job.progress) {
        assert.deepEqual(report, { percent: 50 })
        break
      }
    }
    open()
    await job.result()
  },

  'a job with handlers has progress as well': async (stage) => {
    const { through, open } = door()
    const work = task('work', async (_: null, context) => {
      context.progress(50)
      await through()
    })
    await stage.worker([work, inc])
    const job = await stage.app.enqueue(work.with(null).onSuccess(inc.with(1).detached()))
    const seen: unknown[] = []
    for await (const { percent } of stage.app.job(job.id).progress) {
      seen.push(percent)
      open()
    }
    assert.deepEqual(seen, [50])
  },

  'of a job without progress the iteration just ends': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1))
    const following = (async () => {
      for await (const _ of job.progress) assert.fail('Expected no progress.')
    })()
    await stage.worker([inc])
    await following
    for await (const _ of job.progress) assert.fail('Expected no progress.')
  },

  'hundreds of reports a moment cost no more than some heartbeats, and the last one counts': async (
    stage,
  ) => {
    const { through, reached, open } = door()
    const work = task('work', async (_, context) => {
      for (let i = 0; i <= 1000; i++) context.progress(i / 10)
      await through()
    })
    let renewals = 0
    const home = await stage.process({}, ({ verb }) => {
      if (verb === 'renew') renewals++
      return undefined
    })
    await stage.worker([work], {}, home)
    const job = await stage.app.enqueue(work.with(null))
    await reached()
    await stage.until('the last report', async () => (await job.info())?.progress?.percent === 100)
    assert.ok(renewals < 5, `Expected some heartbeats, got ${renewals}.`)
    open()
    await job.result()
  },

  'a percentage that is none is the handler’s error': async (stage) => {
    const wrong = task('wrong', { retry: 1 }, (percent: unknown, context) =>
      context.progress(percent as number),
    )
    await stage.worker([wrong])
    for (const percent of [-1, 101, 'half', undefined]) {
      await assert.rejects((await stage.app.enqueue(wrong.with(percent))).result(), {
        code: 'TASK_FAILED',
        errorCode: 'INVALID_OPTION',
        message: /Expected percent to be a number from 0 to 100/,
      })
    }
  },

  'a note is stored as a text, whatever it holds': async (stage) => {
    const { through, open } = door()
    const note = '<img onerror=alert(1)> \u001b[31m'
    const work = task('work', (_, context) => {
      context.progress(1, note)
      return through()
    })
    await stage.worker([work])
    const job = await stage.app.enqueue(work.with(null))
    await stage.until('the note', async () => (await job.info())?.progress?.note === note)
    open()
    await job.result()
  },
}
