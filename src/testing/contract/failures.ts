import assert from 'node:assert/strict'
import { group } from '../../core/flow.ts'
import { task } from '../../core/task.ts'
import { fail, tasks } from './build.ts'
import type { Subject } from './stage.ts'

export const failures: Subject = {
  'failed jobs are grouped by cause, the most frequent first': async (stage) => {
    const other = task('other', { retry: 1 }, (n: number): never => {
      throw new RangeError(`order 00${n}7 of user "${n}" at http://shop/${n} is gone`)
    })
    await stage.worker([...tasks, other])
    await stage.app.enqueue([1, 2, 3].map((n) => other.with(n)))
    await stage.app.enqueue([fail.with('no disk'), fail.with('no net')])
    await stage.until('all to fail', async () => (await stage.app.failures()).count === 5)
    const { groups, more } = await stage.app.failures()
    assert.deepEqual(
      groups.map(({ task, count }) => [task, count]),
      [
        ['other', 3],
        ['fail', 1],
        ['fail', 1],
      ],
    )
    const [first] = groups
    assert.equal(more, false)
    assert.deepEqual([first!.error.name, first!.ids.length], ['RangeError', 3])
    assert.ok(first!.first <= first!.last)
    assert.match(first!.fingerprint, /^[0-9a-f]{8}$/)
    assert.deepEqual((await stage.app.failures({ task: 'other' })).groups, [first])
    assert.deepEqual((await stage.app.failures({ fingerprint: first!.fingerprint })).groups, [first])
    const some = await stage.app.failures({ most: 2 })
    assert.deepEqual([some.count, some.more], [2, true])
  },

  'those of one cause are queued again, and the others left': async (stage) => {
    let broken = true
    const mail = task('mail', { retry: 1 }, (to: string) => {
      if (to === 'nobody') throw new Error('no such address')
      if (broken) throw new Error('the server is down')
      return to
    })
    await stage.worker([mail])
    const jobs = await stage.app.enqueue(['a', 'b', 'nobody'].map((to) => mail.with(to)))
    await stage.until('all to fail', async () => (await stage.app.failures()).count === 3)
    const { groups } = await stage.app.failures()
    broken = false
    const answer = await stage.app.retryFailed({ fingerprint: groups[0]!.fingerprint })
    assert.deepEqual(answer, { retried: 2, members: 0, more: false })
    assert.deepEqual([await jobs[0]!.result(), await jobs[1]!.result()], ['a', 'b'])
    assert.equal(await jobs[2]!.state(), 'failed')
  },

  'a step of a flow is not queued again by itself': async (stage) => {
    await stage.worker(tasks)
    const flow = await stage.app.enqueue(group([fail.with('broken'), fail.with('broken')]))
    await assert.rejects(flow.result())
    await stage.until('both to fail', async () => (await stage.app.failures()).count === 2)
    assert.deepEqual(await stage.app.retryFailed(), { retried: 0, members: 2, more: false })
    assert.equal(await flow.state(), 'failed')
  },
}
