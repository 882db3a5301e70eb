import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { RetryLater, type TaskFailedError } from '../../errors.ts'
import { SECOND } from '../conformance/build.ts'
import { deferred, door, fail, inc, rejection } from './build.ts'
import { schema } from './schema.ts'
import type { Subject } from './stage.ts'

const CANCELLED = { name: 'TaskFailedError', code: 'CANCELLED' }

export const cancels: Subject = {
  'a job that waits, or is scheduled, is cancelled at once and never runs': async (stage) => {
    let runs = 0
    const counted = task('counted', () => void runs++)
    const jobs = [
      await stage.app.enqueue(counted.with(null)),
      await stage.app.enqueue(counted.with(null), { delay: '1s' }),
    ]
    const other = await stage.process()
    for (const job of jobs) {
      const waiting = rejection(job.result())
      assert.equal(await other.job(job.id).cancel(), 'cancelled')
      assert.equal(await job.state(), 'cancelled')
      const { code, attempts } = (await waiting) as TaskFailedError
      assert.deepEqual([code, attempts], ['CANCELLED', 0])
      assert.equal((await job.info())?.error?.code, 'CANCELLED')
    }
    await stage.advance(2 * SECOND)
    await stage.worker([counted, inc])
    await (await stage.app.enqueue(inc.with(1))).result()
    assert.equal(runs, 0)
  },

  'a job that is to be retried is cancelled at once': async (stage) => {
    const shaky = task('shaky', { retry: { from: '1m' } }, () => {
      throw new Error('once')
    })
    await stage.worker([shaky])
    const job = await stage.app.enqueue(shaky.with(null))
    await stage.until('the failure', async () => (await job.state()) === 'retrying')
    assert.equal(await job.cancel(), 'cancelled')
    await assert.rejects(job.result(), { ...CANCELLED, attempts: 1 })
    await stage.advance(120 * SECOND)
    assert.equal(await job.state(), 'cancelled')
  },

  'a running handler is told by its signal, from any process': async (stage) => {
    const { through, reached } = door()
    const slow = task('slow', (_, { signal }) => through(signal))
    await stage.worker([slow])
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    const other = await stage.process()
    assert.equal(await other.job(job.id).cancel(), 'cancelling')
    const error = await rejection(job.result())
    assert.equal((error as { code?: string }).code, 'CANCELLED')
    assert.match((error as Error).message, /the job was cancelled/)
    assert.equal(await job.state(), 'cancelled')
  },

  'while it is told, a running job is active and cancelling': async (stage) => {
    const { through, reached, open } = door()
    const deaf = task('deaf', async () => {
      await through()
      throw new Error('no')
    })
    await stage.worker([deaf])
    const job = await stage.app.enqueue(deaf.with(null))
    await reached()
    assert.equal(await job.cancel(), 'cancelling')
    const { state, cancelling } = (await job.info())!
    assert.deepEqual([state, cancelling], ['active', true])
    assert.equal(await job.cancel(), 'cancelling')
    open()
    await assert.rejects(job.result(), { ...CANCELLED, attempts: 1 })
    assert.equal((await job.info())?.cancelling, false)
  },

  'a running job that succeeds all the same has succeeded': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async () => {
      await through()
      return 'done'
    })
    await stage.worker([slow])
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    assert.equal(await job.cancel(), 'cancelling')
    open()
    assert.equal(await job.result(), 'done')
    assert.equal(await job.state(), 'succeeded')
  },

  'a running job that would be retried, or comes back later, ends as cancelled': async (stage) => {
    for (const [error, attempts] of [[new Error('no'), 1], [new RetryLater('1s')]] as const) {
      const { through, reached, open } = door()
      const slow = task('slow', { retry: { from: 0 } }, async () => {
        await through()
        throw error
      })
      const worker = await stage.worker([slow])
      const job = await stage.app.enqueue(slow.with(null))
      await reached()
      await job.cancel()
      open()
      await assert.rejects(job.result(), { ...CANCELLED, ...(attempts && { attempts }) })
      await worker.stop()
    }
  },

  'a handler that ignores its signal keeps its place until its timeout, and is cancelled then': async (
    stage,
  ) => {
    const { promise: running, resolve: run } = deferred()
    const deaf = task('deaf', { timeout: 50 }, () => {
      run()
      return new Promise<never>(() => {})
    })
    await stage.worker([deaf])
    const job = await stage.app.enqueue(deaf.with(null))
    await running
    assert.equal(await job.cancel(), 'cancelling')
    await assert.rejects(job.result(), CANCELLED)
  },

  'a job that has ended stays as it ended': async (stage) => {
    await stage.worker([inc, fail])
    const [good, bad] = await stage.app.enqueue([inc.with(1), fail.with('no')])
    await Promise.allSettled([good.result(), bad.result()])
    assert.deepEqual([await good.cancel(), await bad.cancel()], ['final', 'final'])
    assert.deepEqual([await good.state(), await bad.state()], ['succeeded', 'failed'])
    const waiting = await stage.app.enqueue(inc.with(1), { delay: '1h' })
    assert.deepEqual([await waiting.cancel(), await waiting.cancel()], ['cancelled', 'final'])
  },

  'a signal that is first looked at after the cancel has aborted already': async (stage) => {
    const { through, reached, open } = door()
    const late = task('late', async (_, context) => {
      await through()
      await stage.until('the abort', () => context.signal.aborted)
      context.signal.throwIfAborted()
    })
    await stage.worker([late])
    const job = await stage.app.enqueue(late.with(null))
    await reached()
    await job.cancel()
    open()
    await assert.rejects(job.result(), { ...CANCELLED, message: /the job was cancelled/ })
  },

  'a job that is cancelled while its input is checked does not start': async (stage) => {
    const { through, reached, open } = door()
    const slow = schema<null, null>(async (value) => {
      await through()
      return { value }
    })
    let ran = false
    const checked = task('checked', { input: slow }, () => {
      ran = true
    })
    const listening = task('listening', (_: null, { signal }) => door().through(signal))
    await stage.worker([checked, listening])
    const job = await stage.app.enqueue(task<null, void>('checked', () => {}).with(null))
    const other = await stage.app.enqueue(listening.with(null))
    await reached()
    await stage.until('the other to run', async () => (await other.state()) === 'active')
    assert.equal(await job.cancel(), 'cancelling')
    // A worker is told of all at once: when it has heard of this one, it has of that.
    await other.cancel()
    await rejection(other.result())
    open()
    await assert.rejects(job.result(), { ...CANCELLED, message: /the job was cancelled/ })
    assert.equal(ran, false)
  },

  'a cancelled job’s record stays as long as a failed one’s': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1), { keep: { succeeded: '1s', failed: '1m' } })
    await job.cancel()
    await stage.advance(30 * SECOND)
    assert.equal(await job.state(), 'cancelled')
    await stage.advance(31 * SECOND)
    assert.equal(await job.state(), 'unknown')
  },
}
