import assert from 'node:assert/strict'
import type { JobState, ListFilter } from '../../port/index.ts'
import { again, chord, DAY, FAILED, HOUR, SECOND, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** Ids of all pages, and the sizes of the pages. */
async function pages(stage: Stage, filter: ListFilter, limit: number) {
  const ids: string[] = []
  const sizes: number[] = []
  let cursor: string | undefined
  do {
    const page = await stage.backend.records.list(filter, limit, cursor)
    ids.push(...page.jobs.map(({ job }) => job.id))
    sizes.push(page.jobs.length)
    cursor = page.cursor
    assert.ok(sizes.length < 100, 'Expected the list to come to an end.')
  } while (cursor !== undefined)
  return { ids, sizes }
}

const newestFirst = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${count - 1 - i}`)

export const list: Subject = {
  'jobs are listed newest first, in pages, each once': async (stage) => {
    await stage.submit(...singles('a', 25))
    const { ids, sizes } = await pages(stage, {}, 10)
    assert.deepEqual(ids, newestFirst('a', 25))
    assert.ok(sizes.every((size) => size <= 10))
    assert.deepEqual((await pages(stage, {}, 100)).ids, newestFirst('a', 25))
  },

  'a list of nothing is one empty page': async (stage) => {
    assert.deepEqual(await stage.backend.records.list({}, 10), { jobs: [] })
    await stage.submit(single({ id: 'a' }))
    assert.deepEqual((await pages(stage, { task: 'nobody' }, 10)).ids, [])
  },

  'jobs that come while a list is paged do not shift its pages': async (stage) => {
    await stage.submit(...singles('a', 6))
    const first = await stage.backend.records.list({}, 3)
    await stage.submit(...singles('b', 4))
    const second = await stage.backend.records.list({}, 10, first.cursor)
    assert.deepEqual(
      [...first.jobs, ...second.jobs].map(({ job }) => job.id),
      newestFirst('a', 6),
    )
  },

  'jobs that go while a list is paged do not shift its pages': async (stage) => {
    await stage.submit(...singles('old', 4, { keep: { succeeded: HOUR, failed: HOUR } }))
    await stage.submit(...singles('new', 6))
    const worker = await stage.worker()
    for (let i = 0; i < 4; i++) await worker.runs(`old${i}`)
    const first = await stage.backend.records.list({}, 3)
    await stage.advance(HOUR + SECOND)
    await stage.sweep()
    const second = await stage.backend.records.list({}, 10, first.cursor)
    assert.deepEqual(
      [...first.jobs, ...second.jobs].map(({ job }) => job.id),
      newestFirst('new', 6),
    )
  },

  'a list is narrowed by queue, by task and by both': async (stage) => {
    for (let i = 0; i < 12; i++) {
      await stage.submit(
        single({ id: `j${i}`, queue: i % 2 ? 'odd' : 'even', task: i % 3 ? 'work' : 'third' }),
      )
    }
    assert.deepEqual((await pages(stage, { queue: 'odd' }, 4)).ids, ['j11', 'j9', 'j7', 'j5', 'j3', 'j1'])
    assert.deepEqual((await pages(stage, { task: 'third' }, 3)).ids, ['j9', 'j6', 'j3', 'j0'])
    assert.deepEqual((await pages(stage, { task: 'third', queue: 'even' }, 1)).ids, ['j6', 'j0'])
  },

  'a list is narrowed by state, every state that a job is stored in': async (stage) => {
    await stage.submit(single({ id: 'expired', expiresIn: SECOND }))
    await stage.advance(2 * SECOND)
    await stage.sweep()
    const running = ['succeeded', 'failed', 'retrying', 'active']
    await stage.submit(
      ...running.map((id) => single({ id })),
      single({ id: 'cancelled' }),
      single({ id: 'scheduled', due: { in: DAY } }),
    )
    await stage.backend.control.cancel(['cancelled'])
    const worker = await stage.worker()
    const [succeeded, failed, retrying] = await worker.takesAll(running)
    await worker.finishes([succeeded!])
    await worker.finishes([failed!], FAILED)
    await worker.finishes([retrying!], again(DAY))
    await stage.submit(single({ id: 'waiting' }), chord('f', 1))
    const states: JobState[] = [
      'expired',
      'succeeded',
      'failed',
      'retrying',
      'active',
      'cancelled',
      'scheduled',
    ]
    for (const state of states) {
      const { jobs } = await stage.backend.records.list({ state }, 10)
      assert.deepEqual(
        jobs.map((record) => [record.job.id, record.state]),
        [[state, state]],
      )
    }
    assert.deepEqual((await pages(stage, { state: 'waiting' }, 1)).ids, ['f/0', 'waiting'])
    assert.deepEqual((await pages(stage, { state: 'waiting', queue: 'nobody' }, 1)).ids, [])
  },

  'members of flows are listed, joins and flows are not': async (stage) => {
    await stage.submit(chord('f', 2))
    assert.deepEqual((await pages(stage, {}, 10)).ids, ['f/1', 'f/0'])
  },
}
