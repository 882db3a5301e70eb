import assert from 'node:assert/strict'
import { again, BACK, SECOND, single, singles } from './build.ts'
import type { Subject } from './stage.ts'

export const order: Subject = {
  'jobs are taken by priority, 9 first, and first in, first out within one': async (stage) => {
    await stage.submit(
      single({ id: 'low1' }),
      single({ id: 'top1', priority: 9 }),
      single({ id: 'mid', priority: 5 }),
      single({ id: 'low2' }),
    )
    await stage.submit(single({ id: 'top2', priority: 9 }), single({ id: 'one', priority: 1 }))
    const worker = await stage.worker()
    await worker.takesAll(['top1', 'top2', 'mid', 'one', 'low1', 'low2'])
  },

  'a job of high priority overtakes those that already wait': async (stage) => {
    const worker = await stage.worker()
    await stage.submit(...singles('a', 3))
    const [first] = await worker.takesAll(['a0'])
    await stage.submit(single({ id: 'urgent', priority: 9 }))
    await worker.takesAll(['urgent', 'a1', 'a2'])
    await worker.finishes([first!])
  },

  'first in, first out holds across submissions and handles': async (stage) => {
    const other = await stage.another()
    await stage.submit(...singles('a', 2))
    await other.submit(singles('b', 2))
    await stage.submit(...singles('c', 2))
    await (await stage.worker()).takesAll(['a0', 'a1', 'b0', 'b1', 'c0', 'c1'])
  },

  'a job that is handed back goes to the front of its line': async (stage) => {
    await stage.submit(...singles('a', 5))
    const worker = await stage.worker()
    const [, second, third] = await worker.takesAll(['a0', 'a1', 'a2'])
    await stage.submit(single({ id: 'new' }))
    await worker.finishes([third!, second!], BACK)
    await worker.takesAll(['a1', 'a2', 'a3', 'a4', 'new'])
  },

  'a job that is handed back stays behind higher priorities': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await stage.submit(single({ id: 'b', priority: 1 }), single({ id: 'c' }))
    await worker.finishes([delivery], BACK)
    await worker.takesAll(['b', 'a', 'c'])
  },

  'a job to run again goes behind those that wait': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    await worker.finishes([await worker.takes('a0')], again(0))
    await worker.takesAll(['a1', 'a2', 'a0'])
  },

  'delayed jobs are taken in the order in which they became due': async (stage) => {
    await stage.submit(
      single({ id: 'third', due: { in: 30 * SECOND } }),
      single({ id: 'first', due: { in: 10 * SECOND } }),
      single({ id: 'second', due: { in: 20 * SECOND } }),
    )
    for (let i = 0; i < 3; i++) {
      await stage.advance(10 * SECOND)
      await stage.sweep()
    }
    await (await stage.worker()).takesAll(['first', 'second', 'third'])
  },

  'queues share a worker by weight': async (stage) => {
    await stage.submit(...singles('a', 40, { queue: 'a' }), ...singles('b', 40, { queue: 'b' }))
    const worker = await stage.worker({ queues: { a: 3, b: 1 } })
    const taken: string[] = []
    while (taken.length < 40) taken.push(...(await worker.take(8)).map(({ job }) => job.queue))
    const ofA = taken.slice(0, 40).filter((queue) => queue === 'a').length
    assert.ok(ofA >= 27 && ofA <= 33, `Expected about 30 of 40 jobs from the queue of weight 3, got ${ofA}.`)
  },

  'queues share a worker by weight when places come one at a time': async (stage) => {
    await stage.submit(...singles('a', 20, { queue: 'a' }), ...singles('b', 20, { queue: 'b' }))
    const worker = await stage.worker({ queues: { a: 4, b: 1 } })
    const taken: string[] = []
    while (taken.length < 20) taken.push(...(await worker.take(1)).map(({ job }) => job.queue))
    const ofB = taken.filter((queue) => queue === 'b').length
    assert.ok(ofB >= 3 && ofB <= 6, `Expected about 4 of 20 jobs from the queue of weight 1, got ${ofB}.`)
  },

  'places that one queue leaves free go to the others': async (stage) => {
    await stage.submit(...singles('a', 10, { queue: 'light' }))
    const worker = await stage.worker({ queues: { heavy: 99, light: 1 } })
    assert.equal((await worker.take(10)).length, 10)
    await stage.submit(...singles('b', 2, { queue: 'heavy' }), ...singles('c', 8, { queue: 'light' }))
    assert.equal((await worker.take(10)).length, 10)
  },
}
