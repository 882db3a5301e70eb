import type { Failure } from '../core/failure.ts'
import { fingerprint } from '../core/fingerprint.ts'
import { checkOptions, invalid } from '../core/options.ts'
import { type Backend, type JobRecord, PAGE_LIMIT } from '../port/index.ts'
import { failureOf } from './values.ts'

/** Which failed jobs; what is left out admits all. */
export interface FailureFilter {
  readonly task?: string
  readonly queue?: string
  /** Of one {@link FailureGroup}. */
  readonly fingerprint?: string
  /** How many failed jobs are read at the most, the newest first. @defaultValue 10,000 */
  readonly most?: number
}

/** Failed jobs with the same cause, as far as their errors tell: messages that differ only in ids and numbers. */
export interface FailureGroup {
  /** Eight hexadecimal digits. */
  readonly fingerprint: string
  readonly task: string
  /** Of the newest. */
  readonly error: Failure
  readonly count: number
  /** When the oldest and the newest of them failed. */
  readonly first: Date
  readonly last: Date
  /** The newest five. */
  readonly ids: readonly string[]
}

export interface Failures {
  readonly groups: readonly FailureGroup[]
  /** Failed jobs that were read. */
  readonly count: number
  /** There are more than were read. */
  readonly more: boolean
}

/** What became of many. */
export interface RetriedMany {
  /** Queued again. */
  readonly retried: number
  /** Steps of flows, left as they are. */
  readonly members: number
  /** There are more than were read. */
  readonly more: boolean
}

interface Failed {
  readonly record: JobRecord
  readonly error: Failure
  readonly fingerprint: string
}

const FILTER = ['task', 'queue', 'fingerprint', 'most']
const SAMPLE = 5

/** @throws UsageError INVALID_OPTION, UNKNOWN_OPTION */
export async function listFailures(backend: Backend, filter: FailureFilter = {}): Promise<Failures> {
  const groups = new Map<string, FailureGroup>()
  let count = 0
  const more = await eachPage(backend, filter, 'app.failures()', async (page) => {
    count += page.length
    for (const failed of page) groups.set(failed.fingerprint, grown(groups.get(failed.fingerprint), failed))
  })
  return { groups: [...groups.values()].sort((a, b) => b.count - a.count), count, more }
}

/** @throws UsageError INVALID_OPTION, UNKNOWN_OPTION */
export async function retryFailed(backend: Backend, filter: FailureFilter = {}): Promise<RetriedMany> {
  let retried = 0
  let members = 0
  const more = await eachPage(backend, filter, 'app.retryFailed()', async (page) => {
    const answers = await backend.control.retry(page.map(({ record }) => record.job.id))
    for (const answer of answers) {
      if (answer === 'waiting') retried++
      if (answer === 'member') members++
    }
  })
  return { retried, members, more }
}

/** Failed jobs by the page, newest first; whether there were more than `most`. */
async function eachPage(
  { records }: Backend,
  filter: FailureFilter,
  where: string,
  use: (page: readonly Failed[]) => Promise<void>,
): Promise<boolean> {
  checkOptions(filter, FILTER, where)
  const { most = 10_000, fingerprint: wanted, ...rest } = filter
  if (!Number.isSafeInteger(most) || most < 1) throw invalid('most', 'a whole number from 1', most)
  let left = most
  let cursor: string | undefined
  do {
    const page = await records.list({ state: 'failed', ...rest }, Math.min(left, PAGE_LIMIT), cursor)
    const failed = page.jobs.flatMap((record) => failedOf(record) ?? [])
    await use(wanted === undefined ? failed : failed.filter((each) => each.fingerprint === wanted))
    left -= page.jobs.length
    cursor = page.cursor
  } while (cursor !== undefined && left > 0)
  return cursor !== undefined
}

function failedOf(record: JobRecord): Failed | undefined {
  const error = failureOf(record)
  return error && { record, error, fingerprint: fingerprint(record.job.task, error) }
}

function grown(group: FailureGroup | undefined, { record, error, fingerprint }: Failed): FailureGroup {
  const { job, ended = 0 } = record
  const at = new Date(ended)
  if (!group) {
    return { fingerprint, task: job.task, error, count: 1, first: at, last: at, ids: [job.id] }
  }
  return {
    ...group,
    ...(at > group.last && { last: at, error }),
    ...(at < group.first && { first: at }),
    count: group.count + 1,
    ids: group.ids.length < SAMPLE ? [...group.ids, job.id] : group.ids,
  }
}
