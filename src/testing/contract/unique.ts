import assert from 'node:assert/strict'
import { chain, group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { HOUR, MINUTE, SECOND } from '../conformance/build.ts'
import { add, door, echo, inc, sum, tasks } from './build.ts'
import type { Subject } from './stage.ts'

export const unique: Subject = {
  'of jobs with the same key one is accepted; the others are answered with it': async (stage) => {
    const one = { unique: { key: 'report' } }
    const first = await stage.app.enqueue(inc.with(1), one)
    const other = await stage.process()
    const second = await other.enqueue(inc.with(2), one)
    assert.deepEqual([first.status, second.status, second.id], ['accepted', 'duplicate', first.id])
    await stage.worker(tasks)
    assert.deepEqual([await first.result(), await second.result()], [2, 2])
    const third = await stage.app.enqueue(inc.with(3), one)
    assert.deepEqual([third.status, await third.result()], ['accepted', 4])
  },

  'without a key the input is the key, whatever the order of its fields and its options': async (stage) => {
    const unique = {}
    const first = await stage.app.enqueue(add.with({ x: 1, y: 2 }), { unique })
    const same = await stage.app.enqueue(add.with({ y: 2, x: 1 }), { unique, retry: 7, headers: { a: 'b' } })
    const different = await stage.app.enqueue(add.with({ x: 1, y: 3 }), { unique })
    assert.deepEqual([same.status, same.id, different.status], ['duplicate', first.id, 'accepted'])
  },

  'a key is its task’s own': async (stage) => {
    const one = { unique: { key: 'k' } }
    assert.equal((await stage.app.enqueue(inc.with(1), one)).status, 'accepted')
    assert.equal((await stage.app.enqueue(echo.with(1), one)).status, 'accepted')
    assert.equal((await stage.app.enqueue(inc.with(1), { unique: {} })).status, 'accepted')
  },

  'until it has started: a job that runs may have one successor': async (stage) => {
    const wait = door()
    const slow = task('slow', (n: number) => wait.through().then(() => n))
    const one = { unique: { key: 'k', until: 'started' } } as const
    await stage.worker([slow], { concurrency: 1 })
    const first = await stage.app.enqueue(slow.with(1), one)
    await wait.reached()
    const second = await stage.app.enqueue(slow.with(2), one)
    const third = await stage.app.enqueue(slow.with(3), one)
    assert.deepEqual([second.status, third.status, third.id], ['accepted', 'duplicate', second.id])
    wait.open()
    assert.deepEqual([await first.result(), await third.result()], [1, 2])
  },

  'replace gives a job that has not started the input of the last call': async (stage) => {
    const wait = door()
    const slow = task('slow', { timeout: false }, (n: number) => wait.through().then(() => n))
    const one = { unique: { key: 'k', replace: true } }
    const first = await stage.app.enqueue(slow.with(1), one)
    const second = await stage.app.enqueue(slow.with(2), one)
    assert.deepEqual([second.status, second.id], ['replaced', first.id])
    await stage.worker([slow])
    await wait.reached()
    const third = await stage.app.enqueue(slow.with(3), one)
    assert.deepEqual([third.status, third.id], ['duplicate', first.id])
    wait.open()
    assert.equal(await first.result(), 2)
  },

  'debounce runs the last of many calls, once there was none for a while': async (stage) => {
    const { app } = stage
    const call = (n: number) => app.enqueue(inc.with(n), { debounce: { key: 'k', wait: '1h' } })
    const first = await call(1)
    await stage.worker(tasks)
    for (const n of [2, 3]) {
      await stage.advance(HOUR - MINUTE)
      const { status, id } = await call(n)
      assert.deepEqual([status, id], ['replaced', first.id])
    }
    assert.equal(await first.state(), 'scheduled')
    await stage.advance(HOUR + SECOND)
    assert.equal(await first.result(), 4)
    assert.equal((await call(5)).status, 'accepted')
  },

  'debounce puts a call off no longer than `most`': async (stage) => {
    const debounce = { key: 'k', wait: '1h', most: '90m' }
    const first = await stage.app.enqueue(inc.with(1), { debounce })
    await stage.advance(45 * MINUTE)
    assert.equal((await stage.app.enqueue(inc.with(2), { debounce })).status, 'replaced')
    await stage.advance(46 * MINUTE)
    const next = await stage.app.enqueue(inc.with(3), { debounce })
    assert.equal(next.status, 'accepted')
    await stage.worker(tasks)
    await stage.advance(15 * MINUTE)
    assert.equal(await first.result(), 3)
    assert.equal(await next.state(), 'scheduled')
  },

  'throttle accepts one in a time, whatever became of it': async (stage) => {
    const call = (n: number) =>
      stage.app.enqueue(inc.with(n), { throttle: { key: 'k', every: '1h' }, keep: 0 })
    await stage.worker(tasks)
    const first = await call(1)
    await stage.until('it to end', async () => (await first.state()) === 'unknown')
    await stage.advance(HOUR - MINUTE)
    const second = await call(2)
    assert.deepEqual([second.status, second.id], ['duplicate', first.id])
    await stage.advance(MINUTE + SECOND)
    assert.equal((await call(3)).status, 'accepted')
  },

  'a flow is unique by its key, until it is decided': async (stage) => {
    const flow = chain(group([inc.with(1), inc.with(2)]), sum)
    const one = { unique: { key: 'album' } }
    const first = await stage.app.enqueue(flow, one)
    const second = await stage.app.enqueue(flow, one)
    assert.deepEqual([second.status, second.id], ['duplicate', first.id])
    await stage.worker(tasks)
    assert.equal(await second.result(), 5)
    assert.equal((await stage.app.enqueue(flow, one)).status, 'accepted')
  },

  'of many enqueued at once each is answered by itself': async (stage) => {
    const parts = [1, 1, 2, 1].map((n) => inc.with(n))
    const handles = await stage.app.enqueue(parts, { unique: {} })
    assert.deepEqual(
      handles.map(({ status }) => status),
      ['accepted', 'duplicate', 'accepted', 'duplicate'],
    )
    assert.equal(new Set(handles.map(({ id }) => id)).size, 2)
  },

  'what can’t be unique so is refused at the call': async (stage) => {
    const { app } = stage
    const bad = (message: RegExp, options: object, part = inc.with(1)) =>
      assert.rejects(() => app.enqueue(part, options), { code: /INVALID_OPTION|UNKNOWN_OPTION/, message })
    await bad(/one of unique and throttle/, { unique: {}, throttle: { every: '1s' } })
    await bad(/unique.until/, { unique: { until: 'never' } })
    await bad(/Did you mean "key"/, { unique: { kye: 'a' } })
    await bad(/unique.key/, { unique: { key: '' } })
    await bad(/debounce.wait/, { debounce: {} })
    await bad(/no delay/, { debounce: { wait: '1s' }, delay: '5s' })
    await bad(/throttle.every/, { throttle: { every: 0 } })
    const flow = group([inc.with(1)])
    await assert.rejects(() => app.enqueue(flow, { unique: {} }), {
      code: 'INVALID_OPTION',
      message: /needs a key/,
    })
    await assert.rejects(() => app.enqueue(flow, { debounce: { key: 'k', wait: '1s' } }), {
      code: 'INVALID_OPTION',
      message: /not be replaced/,
    })
  },
}
