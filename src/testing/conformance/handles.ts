import assert from 'node:assert/strict'
import { single } from './build.ts'
import type { Subject } from './stage.ts'

export const handles: Subject = {
  'two handles on one namespace work on the same jobs': async (stage) => {
    const other = await stage.another()
    await stage.submit(single({ id: 'a' }))
    await other.submit([single({ id: 'b' })])
    const worker = await stage.worker({}, other)
    await worker.runs('a')
    await worker.runs('b')
    assert.deepEqual(await stage.states(['a', 'b']), ['succeeded', 'succeeded'])
    const seen = await other.records.get(['a', 'b'])
    assert.deepEqual(
      seen.map((record) => record?.state),
      ['succeeded', 'succeeded'],
    )
  },

  'namespaces keep apart': async (stage) => {
    const other = await stage.elsewhere()
    await stage.submit(single({ id: 'a' }))
    assert.deepEqual(await other.records.get(['a']), [undefined])
    assert.deepEqual(await other.submit([single({ id: 'a' })]), [{ id: 'a', status: 'accepted' }])
    const worker = await stage.worker({}, other)
    await worker.runs('a')
    await worker.findsNothing()
    assert.equal(await stage.state('a'), 'waiting')
  },

  'what one handle closes, the others keep': async (stage) => {
    const other = await stage.another()
    await other.submit([single({ id: 'a' })])
    await other[Symbol.asyncDispose]()
    assert.equal(await stage.state('a'), 'waiting')
    await (await stage.worker()).runs('a')
  },

  'a closed handle refuses every call with BACKEND_CLOSED': async (stage) => {
    const other = await stage.another()
    await other[Symbol.asyncDispose]()
    const calls: (() => Promise<unknown>)[] = [
      () => other.submit([single({ id: 'a' })]),
      () =>
        other.consume({ worker: 'w', queues: [{ name: 'default', weight: 1 }], capacity: 1, lease: 1000 }),
      () => other.sweep(1),
      () => other.records.get(['a']),
      () => other.records.list({}, 1),
      () => other.control.cancel(['a']),
      () => other.control.retry(['a']),
    ]
    for (const call of calls) await assert.rejects(call, { code: 'BACKEND_CLOSED' })
    assert.equal(await stage.state('a'), 'unknown')
  },

  'closing twice is closing once': async (stage) => {
    const other = await stage.another()
    const worker = await stage.worker({}, other)
    for (let i = 0; i < 2; i++) {
      await worker[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
    }
  },
}
