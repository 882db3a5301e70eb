import type { Body, EpochMillis, Job, Join, Keep, Millis } from './job.ts'
import type { JobState } from './state.ts'

/** One ended delivery that counted, failed or was lost. */
export interface Attempt {
  readonly start: EpochMillis
  readonly end: EpochMillis
  /** The worker's {@link ConsumeOptions.worker} id. */
  readonly worker: string
  readonly error?: Body
  /** Set when the driver itself ended it: the worker was lost. */
  readonly code?: EndCode
}

/** Why the driver itself ended a job; the reader composes the error. */
export type EndCode = 'EXPIRED' | 'WORKER_LOST' | 'CANCELLED'

/** All that is known of one job. */
export interface JobRecord {
  readonly kind: 'job'
  readonly job: Job
  readonly state: JobState
  /** A cancel mark lies on it while its handler still runs. */
  readonly cancelling: boolean
  /** The attempt that runs or would run next; the last one, once ended. */
  readonly attempt: number
  readonly crashes: number
  readonly created: EpochMillis
  /** When it was first due. */
  readonly due: EpochMillis
  /** When it may run next, while scheduled or retrying. */
  readonly next?: EpochMillis
  /** Start of the latest delivery. */
  readonly started?: EpochMillis
  readonly ended?: EpochMillis
  readonly worker?: string
  readonly progress?: Body
  /** The value, or the error, of an ended job. */
  readonly result?: Body
  readonly code?: EndCode
  /** The last {@link ATTEMPTS_KEPT} deliveries that were retried or lost, oldest first. */
  readonly attempts: readonly Attempt[]
}

/** A flow's state: `active` until its root join is decided. */
export type FlowState = 'active' | 'succeeded' | 'failed' | 'cancelled'

/** All that is known of one flow. */
export interface FlowRecord {
  readonly kind: 'flow'
  readonly id: string
  readonly outline: Body
  readonly keep: Keep
  readonly state: FlowState
  readonly cancelling: boolean
  readonly created: EpochMillis
  readonly ended?: EpochMillis
}

/** A join as readers see it. */
export interface JoinRecord {
  readonly join: Join
  readonly state: FlowState
  /** A cancel covers it while it is not decided yet. */
  readonly cancelling: boolean
}

/** Who filled a slot: a job's or a join's id. */
export interface Arrival {
  readonly index: number
  readonly ok: boolean
  readonly by: string
}

/** Which jobs to list. Absent fields admit all. */
export interface ListFilter {
  readonly state?: JobState
  readonly task?: string
  readonly queue?: string
}

/** One page of jobs, newest first. */
export interface Page {
  readonly jobs: readonly JobRecord[]
  /** Pass it on to get the next page; absent on the last. */
  readonly cursor?: string
}

/** How many jobs of one queue are in one state. */
export interface Count {
  readonly queue: string
  readonly state: JobState
  readonly count: number
}

/** A worker that holds a lease, or held one until the next sweep. */
export interface WorkerRecord {
  readonly worker: string
  readonly queues: readonly string[]
  readonly active: number
  /** When its lease ends unless it is renewed. */
  readonly expires: EpochMillis
}

/** Reading. What is not stored is unknown: `undefined`. */
export interface Records {
  /** Jobs and flows by id, in the order asked for. */
  get(ids: readonly string[]): Promise<(JobRecord | FlowRecord | undefined)[]>
  joins(ids: readonly string[]): Promise<(JoinRecord | undefined)[]>
  /** Filled slots of a join by index, from `from` on, at most `limit`. */
  slots(join: string, from: number, limit: number): Promise<Arrival[]>
  list(filter: ListFilter, limit: number, cursor?: string): Promise<Page>
  counts(): Promise<Count[]>
  workers(): Promise<WorkerRecord[]>
}

/** A page's greatest size. */
export const PAGE_LIMIT = 1000

/** What a backend says of itself, for `doctor` and health checks. */
export interface Diagnosis {
  readonly backend: string
  /** Versions of the server or library, and of the stored schema. */
  readonly versions: Readonly<Record<string, string>>
  /** The backend's clock minus this process's. */
  readonly clockSkew: Millis
  /** Settings that would lose or slow work, each with what to do. */
  readonly warnings: readonly string[]
}
