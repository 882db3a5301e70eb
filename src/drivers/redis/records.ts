import { batcher } from '../../async/batcher.ts'
import {
  type Arrival,
  type Count,
  type FlowRecord,
  type FlowState,
  type JobRecord,
  type Join,
  type JoinRecord,
  jobStates,
  type ListFilter,
  type Page,
  type Records,
} from '../../port/index.ts'
import { pages } from './control.ts'
import { scripts } from './lua/index.ts'
import { jobRecord, LETTERS, readRecord, STATES } from './record.ts'
import { asBefore, type Shard } from './shard.ts'
import { sweepAll } from './sweep.ts'
import { queuedOf, unpack } from './text.ts'

type Found = JobRecord | FlowRecord | undefined
type JobCells = [
  record: string,
  shown: string,
  cancelling: number,
  next: string,
  progress: string | null,
  attempts: string[],
]
type FlowCells = ['', record: string, state: string, cancelling: number, created: string, ended: string]
type JoinCells = [record: string, queued: string, root: string, state: string, cancelling: number]

const flowStates: Readonly<Record<string, FlowState>> = {
  A: 'active',
  K: 'succeeded',
  F: 'failed',
  C: 'cancelled',
}
/** Reads of one tick travel together: of so many joins, since each may have a page of slots. */
const SHARED = { max: 20, concurrent: 2 }
/** Jobs that one call of a listing looks at. */
const STRIDE = 1000

export interface ShardRecords extends Omit<Records, 'list'> {
  /** `marks`: for each job the cursor of which it is the first. */
  list(
    filter: ListFilter,
    limit: number,
    cursor?: string,
  ): Promise<Page & { readonly marks: readonly string[] }>
}

/** What readers see. */
export function createRecords(shard: Shard): ShardRecords {
  const get = batcher<readonly string[], Found[]>(async (calls) => {
    const found: Found[] = []
    for (const page of pages(calls.flat())) {
      const cells = (await shard.run(scripts.read, page, asBefore)) as (JobCells | FlowCells | 0)[]
      for (const [i, each] of cells.entries()) found.push(each === 0 ? undefined : recordOf(page[i]!, each))
    }
    return calls.map(({ length }) => found.splice(0, length))
  }, SHARED)

  const slots = batcher<[join: string, from: number, limit: number], Arrival[]>(async (calls) => {
    const cells = (await shard.run(scripts.slots, calls.flat(), asBefore)) as (string | number)[][]
    return cells.map((each) =>
      Array.from({ length: each.length / 2 }, (_, i) => {
        const by = String(each[i * 2 + 1])
        return { index: Number(each[i * 2]), ok: by[0] === '+', by: by.slice(1) }
      }),
    )
  }, SHARED)

  return {
    get,

    async joins(ids) {
      const found: (JoinRecord | undefined)[] = []
      for (const page of pages(ids)) {
        const cells = (await shard.run(scripts.readJoins, page, asBefore)) as (JoinCells | 0)[]
        for (const [i, each] of cells.entries())
          found.push(each === 0 ? undefined : joinRecord(page[i]!, each))
      }
      return found
    },

    slots: (join, from, limit) => slots([join, from, limit]),

    async list(filter, limit, cursor) {
      const ids = await newest(shard, filter, limit + 1, cursor)
      const last = ids[limit - 1]
      const records = await get(ids.slice(0, limit).map(({ id }) => id))
      const jobs: JobRecord[] = []
      const marks: string[] = []
      for (const [i, record] of records.entries()) {
        if (record?.kind !== 'job') continue
        jobs.push(record)
        marks.push(String(ids[i]!.serial + 1))
      }
      return { jobs, marks, ...(ids.length > limit && { cursor: String(last!.serial) }) }
    },

    async counts() {
      // What is late or below a mark is counted as it is once it was seen to.
      await sweepAll(shard)
      const cells = (await shard.run(scripts.counts, [], asBefore)) as string[]
      const counts: Count[] = []
      for (let i = 0; i < cells.length; i += 2) {
        const [queue, letter] = cells[i]!.split('\n') as [string, string]
        counts.push({ queue, state: STATES[letter]!, count: Number(cells[i + 1]) })
      }
      return counts.sort(
        (a, b) =>
          Number(a.queue > b.queue) - Number(a.queue < b.queue) ||
          jobStates.indexOf(a.state) - jobStates.indexOf(b.state),
      )
    },

    async workers() {
      const cells = (await shard.run(scripts.workers, [], asBefore)) as (string | number)[]
      return Array.from({ length: cells.length / 4 }, (_, i) => {
        const [worker, expires, active, queues] = cells.slice(i * 4, i * 4 + 4)
        return {
          worker: String(worker),
          queues: String(queues).split('\n'),
          active: Number(active),
          expires: Number(expires),
        }
      })
    },
  }
}

/**
 * The newest matching jobs. Nothing orders a namespace's jobs by age, which would cost each of them memory: all
 * are looked at, in strides.
 */
async function newest(
  shard: Shard,
  { state, queue = '', task = '' }: ListFilter,
  limit: number,
  before = '',
): Promise<{ serial: number; id: string }[]> {
  let found = new Map<number, string>()
  let at = '0'
  do {
    const [next, cells] = (await shard.run(
      scripts.scan,
      [at, STRIDE, before, state ? LETTERS[state] : '', queue, task],
      asBefore,
    )) as [string, string[]]
    for (let i = 0; i < cells.length; i += 2) found.set(Number(cells[i]), cells[i + 1]!)
    if (found.size > limit * 4) found = new Map(byAge(found).slice(0, limit))
    at = next
  } while (at !== '0')
  return byAge(found)
    .slice(0, limit)
    .map(([serial, id]) => ({ serial, id }))
}

const byAge = (found: ReadonlyMap<number, string>): [number, string][] => [...found].sort(([a], [b]) => b - a)

function recordOf(id: string, cells: JobCells | FlowCells): JobRecord | FlowRecord {
  if (cells[0] === '') return flowRecord(id, cells as FlowCells)
  const [record, shown, cancelling, next, progress, attempts] = cells as JobCells
  const beside = { shown, cancelling: cancelling === 1, next: next === '' ? null : next, progress, attempts }
  return jobRecord(readRecord(id, record), beside)
}

function flowRecord(id: string, [, text, state, cancelling, created, ended]: FlowCells): FlowRecord {
  const { outline, keep } = rootOf(text)
  return {
    kind: 'flow',
    id,
    outline,
    keep,
    state: flowStates[state]!,
    cancelling: cancelling === 1,
    created: Number(created),
    ...(ended !== '' && { ended: Number(ended) }),
  }
}

function rootOf(text: string): NonNullable<Join['root']> {
  const [head, outline] = text.split('\n') as [string, string]
  const [succeeded, failed, notify] = head.split('\t') as [string, string, string]
  return {
    outline: unpack(outline),
    keep: { succeeded: Number(succeeded), failed: Number(failed) },
    ...(notify !== '' && { notify }),
  }
}

function joinRecord(id: string, [text, queued, root, state, cancelling]: JoinCells): JoinRecord {
  const [size, flags, flow, join, index] = text.split('\t') as [string, string, string, string, string]
  return {
    join: {
      id,
      flow,
      size: Number(size),
      ...(join !== '' && { reports: { join, index: Number(index) } }),
      ...(queued !== '' && queuedOf(queued, flags)),
      ...(flags.includes('f') && { failFast: true }),
      ...(flags.includes('c') && { cancelSiblings: true }),
      ...(root !== '' && { root: rootOf(root) }),
    },
    state: flowStates[state]!,
    cancelling: cancelling === 1,
  }
}
