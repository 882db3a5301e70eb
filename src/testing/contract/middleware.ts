import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { Discard, RetryLater } from '../../errors.ts'
import { fail, inc } from './build.ts'
import type { Subject } from './stage.ts'

export const middleware: Subject = {
  'middleware runs around every handler, the first given outermost': async (stage) => {
    const order: string[] = []
    const around = (name: string) => async (context: { task: string }, next: () => Promise<unknown>) => {
      order.push(`${name} before ${context.task}`)
      const output = await next()
      order.push(`${name} after ${context.task}`)
      return output
    }
    const noted = task('noted', () => {
      order.push('handler')
      return 1
    })
    await stage.worker([noted], { use: [around('outer'), around('inner')] })
    assert.equal(await (await stage.app.enqueue(noted.with(null))).result(), 1)
    assert.deepEqual(order, [
      'outer before noted',
      'inner before noted',
      'handler',
      'inner after noted',
      'outer after noted',
    ])
  },

  'what middleware returns or throws takes the place of what the handler did': async (stage) => {
    const saving = async (_: unknown, next: () => Promise<unknown>) => {
      try {
        return (await next()) === 2 ? 'two' : 'other'
      } catch {
        return 'saved'
      }
    }
    await stage.worker([inc, fail], { use: [saving] })
    const jobs = await stage.app.enqueue([inc.with(1), inc.with(2), fail.with('no')])
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), ['two', 'other', 'saved'])
  },

  'middleware may keep a handler from running, and decide how the job ends': async (stage) => {
    let runs = 0
    const counted = task('counted', { retry: 1 }, (n: number) => {
      runs++
      return n
    })
    const guard = (context: { headers: Readonly<Record<string, string>> }, next: () => Promise<unknown>) => {
      if (context.headers.stop === 'discard') throw new Discard('not allowed')
      if (context.headers.stop === 'later') throw new RetryLater('1h')
      return context.headers.stop === 'value' ? 'instead' : next()
    }
    await stage.worker([counted], { use: [guard] })
    const [good, value, discarded, later] = await Promise.all(
      ['', 'value', 'discard', 'later'].map((stop) =>
        stage.app.enqueue(counted.with(1), { headers: { stop } }),
      ),
    )
    assert.equal(await good!.result(), 1)
    assert.equal(await value!.result(), 'instead')
    await assert.rejects(discarded!.result(), { code: 'DISCARDED' })
    await stage.until('it to be put off', async () => (await later!.state()) === 'retrying')
    assert.equal(runs, 1)
  },

  'a handler that middleware runs twice runs twice': async (stage) => {
    let runs = 0
    const counted = task('counted', () => ++runs)
    await stage.worker([counted], { use: [async (_, next) => [await next(), await next()]] })
    assert.deepEqual(await (await stage.app.enqueue(counted.with(null))).result(), [1, 2])
  },

  'middleware sees a handler that throws at once as a rejection': async (stage) => {
    const seen: unknown[] = []
    const bad = task('bad', { retry: 1 }, () => {
      throw new Error('at once')
    })
    const watch = (_: unknown, next: () => Promise<unknown>) =>
      next().catch((error: Error) => {
        seen.push(error.message)
        throw error
      })
    await stage.worker([bad], { use: [watch] })
    await assert.rejects((await stage.app.enqueue(bad.with(null))).result(), { message: /at once/ })
    assert.deepEqual(seen, ['at once'])
  },

  'a timeout covers middleware': async (stage) => {
    await stage.worker([inc], { use: [() => new Promise(() => {})] })
    const job = await stage.app.enqueue(inc.with(1), { timeout: 10, retry: 1 })
    await assert.rejects(job.result(), { code: 'TIMEOUT' })
  },

  'middleware and handler share a context, which knows the job': async (stage) => {
    const contexts = new Set<unknown>()
    const told: unknown[] = []
    const telling = task('telling', (_, context) => {
      contexts.add(context)
      const { id, task, queue, attempt, flow, headers } = context
      told.push({ id, task, queue, attempt, flow, headers })
      context.log.info({ extra: 1 }, 'hello')
    })
    await stage.worker([telling], {
      use: [
        (context, next) => {
          contexts.add(context)
          return next()
        },
      ],
    })
    const job = await stage.app.enqueue(telling.with(null), { id: 'one', headers: { a: 'b' } })
    await job.result()
    assert.equal(contexts.size, 1)
    assert.deepEqual(told, [
      { id: 'one', task: 'telling', queue: 'default', attempt: 1, flow: undefined, headers: { a: 'b' } },
    ])
    const line = stage.logs.find(({ message }) => message === 'hello')
    assert.deepEqual(line?.fields, { id: 'one', task: 'telling', attempt: 1, extra: 1 })
  },
}
