import { checkOptions, invalid } from '../core/options.ts'
import {
  type Backend,
  type Count,
  type JobState,
  jobStates,
  type ListFilter,
  PAGE_LIMIT,
  type WorkerRecord,
} from '../port/index.ts'
import { type JobInfo, toInfo } from './info.ts'

/** Which jobs to list; what is left out admits all. */
export interface JobsFilter {
  readonly state?: JobState
  readonly task?: string
  readonly queue?: string
  /** Jobs on one page, 1 to 1000. @defaultValue 50 */
  readonly limit?: number
  /** Where the last page ended. */
  readonly cursor?: string
}

/** A page of jobs, newest first. */
export interface JobsPage {
  readonly jobs: readonly JobInfo[]
  /** Present when there are more: pass it on to get them. */
  readonly cursor?: string
}

/** A queue in numbers. */
export interface QueueInfo {
  readonly name: string
  /** Jobs in each state; what is left out is 0. */
  readonly counts: Readonly<Partial<Record<JobState, number>>>
}

/** A worker that is alive, or was until its last heartbeat. */
export interface WorkerInfo {
  readonly id: string
  readonly queues: readonly string[]
  /** Jobs that it holds. */
  readonly active: number
  /** When it is taken for dead unless it is heard of. */
  readonly expires: Date
}

const FILTER = ['state', 'task', 'queue', 'limit', 'cursor']

/**
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export async function listJobs({ records }: Backend, filter: JobsFilter = {}): Promise<JobsPage> {
  checkOptions(filter, FILTER, 'app.jobs()')
  const { limit = 50, cursor, ...rest } = filter
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT) {
    throw invalid('limit', `a whole number from 1 to ${PAGE_LIMIT}`, limit)
  }
  if (rest.state !== undefined && !jobStates.includes(rest.state)) {
    throw invalid('state', `one of ${jobStates.join(', ')}`, rest.state)
  }
  const page = await records.list(rest satisfies ListFilter, limit, cursor)
  return { jobs: page.jobs.map(toInfo), ...(page.cursor !== undefined && { cursor: page.cursor }) }
}

export async function listQueues({ records }: Backend): Promise<QueueInfo[]> {
  const queues = new Map<string, Partial<Record<JobState, number>>>()
  for (const { queue, state, count } of await records.counts()) add(queues, queue, state, count)
  return [...queues].map(([name, counts]) => ({ name, counts })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

export async function listWorkers({ records }: Backend): Promise<WorkerInfo[]> {
  return (await records.workers()).map(({ worker, queues, active, expires }: WorkerRecord) => ({
    id: worker,
    queues,
    active,
    expires: new Date(expires),
  }))
}

function add(
  queues: Map<string, Partial<Record<JobState, number>>>,
  queue: string,
  state: Count['state'],
  count: number,
): void {
  queues.set(queue, { ...queues.get(queue), [state]: count })
}
