import { expect, test } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { Backend, Job, Submission } from '../../src/port/index.ts'
import { submission, testFolder } from './folder.ts'

const { fresh } = testFolder()

const batch = (ids: string[], fields: Partial<Job> = {}): Submission[] =>
  ids.map((id) => submission(id, { body: `1"${id}"`, ...fields }))
const range = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** Submit in one batch; the ids that were accepted. */
async function accepted(backend: Backend, submissions: Submission[]): Promise<string[]> {
  const receipts = await backend.submit(submissions)
  expect(receipts.map(({ id }) => id)).toEqual(submissions.map(({ jobs }) => jobs[0]!.id))
  return receipts.filter(({ status }) => status === 'accepted').map(({ id }) => id)
}

async function taken(backend: Backend, queue = 'default'): Promise<Job[]> {
  const options = { worker: 'w', queues: [{ name: queue, weight: 1 }], capacity: 1000, lease: 15_000 }
  await using worker = await backend.consume(options)
  return (await worker.take(1000, new AbortController().signal)).map(({ job }) => job)
}

test('like jobs that come again and again are stored in order, whole, and once', async () => {
  await using backend = sqlite({ path: fresh() })
  const ids = range('a', 205)
  expect(await accepted(backend, batch(ids))).toEqual(ids)
  expect(await accepted(backend, batch(ids))).toEqual([])
  const jobs = await taken(backend)
  expect(jobs).toEqual(batch(ids).map(({ jobs: [job] }) => job))
})

test('of ids that are known, or come twice in a batch, the first is written', async () => {
  await using backend = sqlite({ path: fresh() })
  await accepted(backend, batch(range('warm', 100)))
  await accepted(backend, batch(['a3', 'b7']))
  const ids = [...range('a', 10), ...range('b', 5), ...range('b', 10), ...range('c', 5)]
  const fields = { body: '1"second"' }
  const expected = [...new Set(ids)].filter((id) => id !== 'a3' && id !== 'b7')
  expect(await accepted(backend, batch(ids, fields))).toEqual(expected)
  const [a3, a4] = await backend.records.get(['a3', 'a4'])
  expect([a3, a4].map((record) => record?.kind === 'job' && record.job.body)).toEqual(['1"a3"', '1"second"'])
})

test('names with quotes are only names', async () => {
  await using backend = sqlite({ path: fresh() })
  const odd = `it's "odd"'); DROP TABLE jobs; --`
  const fields = { queue: odd, task: odd, notify: odd }
  const ids = range('a', 100)
  expect(await accepted(backend, batch(ids, fields))).toEqual(ids)
  expect(await taken(backend, odd)).toEqual(batch(ids, fields).map(({ jobs: [job] }) => job))
})

test('jobs of more kinds than are remembered are stored like all others', async () => {
  await using backend = sqlite({ path: fresh() })
  for (let round = 0; round < 4; round++) {
    const submissions = range(`${round}-`, 120).flatMap((kind) =>
      batch(range(`${kind}-`, 10), { task: kind.slice(2), priority: round }),
    )
    expect(await accepted(backend, submissions)).toHaveLength(1200)
  }
  expect(await backend.records.counts()).toEqual([{ queue: 'default', state: 'waiting', count: 4800 }])
  const { jobs } = await backend.records.list({ task: '7' }, 100)
  expect(jobs.map(({ job }) => job.priority)).toEqual(
    [3, 2, 1, 0].flatMap((priority) => Array(10).fill(priority)),
  )
})
