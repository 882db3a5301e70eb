import { type Call, unpackCall, unpackValue } from '../core/body.ts'
import { type Failure, failureOfCode, unpackFailure } from '../core/failure.ts'
import type { Attempt, EpochMillis, JobRecord, JobState } from '../port/index.ts'
import { failureOf } from './values.ts'

/** How far a job has come, as its handler reported it. */
export interface ProgressInfo {
  /** 0 to 100. */
  readonly percent: number
  readonly note?: string
}

/** A delivery that failed, was asked to come later, or lost its worker. */
export interface AttemptInfo {
  readonly start: Date
  readonly end: Date
  readonly worker: string
  readonly error?: Failure
}

/** All that is known of a job. */
export interface JobInfo {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly state: JobState
  /** It was cancelled while its handler runs, which has been told. */
  readonly cancelling: boolean
  readonly input: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly priority: number
  /** The attempt that runs or would run next; the last one, once ended. */
  readonly attempt: number
  /** Workers lost under it. */
  readonly crashes: number
  readonly created: Date
  /** When it was first due. */
  readonly due: Date
  /** When it will run next, while scheduled or retrying. */
  readonly next?: Date
  readonly started?: Date
  readonly ended?: Date
  /** The worker of the latest delivery. */
  readonly worker?: string
  readonly progress?: ProgressInfo
  /** The output, once succeeded. */
  readonly result?: unknown
  /** Why it failed, was cancelled or expired. */
  readonly error?: Failure
  /** The last 20 deliveries before the latest, oldest first. */
  readonly attempts: readonly AttemptInfo[]
  /** The flow that it is a step of. */
  readonly flow?: string
}

const date = (time: EpochMillis): Date => new Date(time)

/** A record as people read it. A body that can't be read is left out rather than failing the whole. */
export function toInfo(record: JobRecord): JobInfo {
  const { job, state } = record
  const call = readable<Call>(() => unpackCall(job.body)) ?? {}
  const error = failureOf(record)
  const progress = record.progress && readable(() => unpackValue(record.progress!) as ProgressInfo)
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state,
    cancelling: record.cancelling,
    input: call.input,
    headers: call.headers ?? {},
    priority: job.priority,
    attempt: record.attempt,
    crashes: record.crashes,
    created: date(record.created),
    due: date(record.due),
    ...(record.next !== undefined && { next: date(record.next) }),
    ...(record.started !== undefined && { started: date(record.started) }),
    ...(record.ended !== undefined && { ended: date(record.ended) }),
    ...(record.worker !== undefined && { worker: record.worker }),
    ...(progress && { progress }),
    ...(state === 'succeeded' && { result: readable(() => unpackValue(record.result!)) }),
    ...(error && { error }),
    attempts: record.attempts.map(toAttempt),
    ...(job.flow !== undefined && { flow: job.flow }),
  }
}

function toAttempt({ start, end, worker, error, code }: Attempt): AttemptInfo {
  const failure = code ? failureOfCode(code) : error && unpackFailure(error)
  return { start: date(start), end: date(end), worker, ...(failure && { error: failure }) }
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
