import assert from 'node:assert/strict'
import type { EventFilter, JobEvent } from '../../port/index.ts'
import { again, chord, FAILED, group, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'
import { within } from './worker.ts'

/** A subscription that stands: its first event has come. */
async function listen(stage: Stage, filter: EventFilter, on = stage.backend) {
  const stop = new AbortController()
  const hints = on.events(filter, stop.signal)[Symbol.asyncIterator]()
  const next = (what: string): Promise<IteratorResult<JobEvent>> => within(hints.next(), stage.patience, what)
  assert.deepEqual(await next('a first event'), { done: false, value: {} })
  return {
    /** The next hint that names this id, or none in particular. */
    async of(id: string): Promise<JobEvent> {
      for (;;) {
        const { done, value } = await next(`a hint of "${id}"`)
        assert.ok(!done, `Expected a hint of "${id}", but the events ended.`)
        if (value.id === undefined || value.id === id) return value
      }
    },
    async ends(): Promise<void> {
      stop.abort()
      for (;;) if ((await next('the events to end')).done) return
    },
  }
}

export const events: Subject = {
  'the first event comes once the subscription stands, and the last with the signal': async (stage) => {
    const hints = await listen(stage, { ids: ['a'] })
    await hints.ends()
  },

  'events end with the signal, also while nobody asks for the next': async (stage) => {
    const stop = new AbortController()
    const hints = stage.backend.events({ ids: ['a'] }, stop.signal)
    const all = (async () => {
      let count = 0
      for await (const _ of hints) {
        count++
        stop.abort()
      }
      return count
    })()
    assert.equal(await within(all, stage.patience, 'the events to end'), 1)
  },

  'who asked for a job by id is told of every change of it': async (stage) => {
    await stage.submit(single({ id: 'a' }), single({ id: 'b' }))
    const hints = await listen(stage, { ids: ['a'] }, await stage.another())
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await hints.of('a')
    await worker.consumer.renew([{ delivery, progress: '1[10]' }])
    await hints.of('a')
    await worker.finishes([delivery], again())
    await hints.of('a')
    await worker.takes('b')
    await worker.runs('a')
    await hints.of('a')
    await hints.ends()
  },

  'who asked for an id before it was submitted is told of its end': async (stage) => {
    const hints = await listen(stage, { ids: ['a'] })
    await stage.submit(single({ id: 'a' }))
    await (await stage.worker()).runs('a')
    await hints.of('a')
    while ((await stage.state('a')) !== 'succeeded') await hints.of('a')
    await hints.ends()
  },

  'who is named in notify is told of the ends of jobs and flows': async (stage) => {
    const other = await stage.another()
    const hints = await listen(stage, { notify: 'process-7' }, other)
    await stage.submit(...singles('a', 3, { notify: 'process-7' }), group('f', 1, { notify: 'process-7' }))
    const worker = await stage.worker()
    await worker.runs('a0')
    await hints.of('a0')
    await worker.runs('a1', FAILED)
    await hints.of('a1')
    await stage.backend.control.cancel(['a2'])
    await hints.of('a2')
    await worker.runs('f/0')
    await hints.of('f')
    await hints.ends()
  },

  'an end that comes with its hint is the one that is read': async (stage) => {
    const hints = await listen(stage, { notify: 'process-7' }, await stage.another())
    await stage.submit(...singles('a', 3, { notify: 'process-7' }), group('f', 1, { notify: 'process-7' }))
    await stage.submit(chord('g', 1, { notify: 'process-7' }))
    const worker = await stage.worker()
    const told = async (id: string, by: string) => {
      const { ended } = await hints.of(id)
      if (ended) assert.deepEqual((await stage.backend.records.get([by]))[0], ended)
    }
    await worker.runs('a0')
    await told('a0', 'a0')
    await worker.runs('a1', FAILED)
    await told('a1', 'a1')
    const delivery = await worker.takes('a2')
    await worker.finishes([delivery], again())
    await worker.runs('f/0')
    await told('f', 'f/0')
    await worker.runs('g/0')
    await worker.runs('a2')
    await told('a2', 'a2')
    await worker.runs('g/body')
    await told('g', 'g/body')
    await hints.ends()
  },

  'who asked for a flow is told of its end': async (stage) => {
    await stage.submit(chord('f', 1), group('g', 1))
    const hints = await listen(stage, { ids: ['f', 'g'] })
    const worker = await stage.worker()
    await worker.runs('f/0')
    await stage.backend.control.cancel(['g'])
    await hints.of('g')
    await worker.runs('f/body')
    await hints.of('f')
    assert.deepEqual(await stage.states(['f', 'g']), ['succeeded', 'cancelled'])
    await hints.ends()
  },

  'a worker is told through any handle that something it holds was cancelled': async (stage) => {
    await stage.submit(single({ id: 'a' }), group('f', 1))
    const worker = await stage.worker({ worker: 'wheel' })
    await worker.takesAll(['a', 'f/0'])
    const hints = await listen(stage, { worker: 'wheel' })
    const other = await stage.another()
    await other.control.cancel(['a'])
    await hints.of('a')
    assert.equal((await worker.consumer.renew([])).cancel.length, 1)
    await other.control.cancel(['f'])
    await hints.of('f/0')
    assert.equal((await worker.consumer.renew([])).cancel.length, 2)
    await hints.ends()
  },

  'a reader that subscribes, then reads, misses no end': async (stage) => {
    const worker = await stage.worker()
    for (let i = 0; i < 10; i++) {
      await stage.submit(single({ id: `a${i}` }))
      const run = worker.runs(`a${i}`)
      const hints = await listen(stage, { ids: [`a${i}`] }, await stage.another())
      while ((await stage.state(`a${i}`)) !== 'succeeded') await hints.of(`a${i}`)
      await run
      await hints.ends()
    }
  },
}
