import type { Applied, Delivery, Outcome } from './delivery.ts'
import type { Body, EpochMillis, Millis, Receipt, Submission } from './job.ts'
import type { Diagnosis, JobRecord, Records } from './records.ts'
import type { Schedules } from './schedules.ts'

/**
 * The seam: where jobs are kept. Five verbs are hot, `submit`, `take`, `renew`, `finish` and `sweep`, and
 * all of them take batches. Errors are {@link BackendError}s; a rejected call has written nothing unless
 * its error says so.
 */
export interface Backend extends AsyncDisposable {
  /**
   * Each submission is all-or-nothing and idempotent by id; one receipt each, in order. When it
   * resolves, the jobs are as durable as the backend's settings make them.
   */
  submit(batch: readonly Submission[]): Promise<Receipt[]>
  consume(options: ConsumeOptions): Promise<Consumer>
  /**
   * Promote due jobs, reclaim lost workers' jobs, end the expired and those below a cancel mark, forget
   * old records; at most about `limit` of each. Safe anywhere, at any time, by any number at once.
   */
  sweep(limit: number): Promise<Swept>
  /** How a helper thread renews a worker's lease on its own connection; absent where none is needed. */
  readonly pulse?: Pulse
  /**
   * Hints, and may be lost: on each, re-read `records`, which are the truth. The first, `{}`, comes once the
   * subscription stands: who reads after it misses nothing. Ends with the signal.
   */
  events(filter: EventFilter, signal: AbortSignal): AsyncIterable<JobEvent>
  /** How it is divided, if it is: trouble with one part is not to hold up the others, whose calls travel apart. */
  readonly parts?: Parts
  readonly records: Records
  readonly control: Control
  readonly schedules: Schedules
  /** Reach the backend and report. Rejects with a {@link BackendError} when it can't be reached. */
  diagnose(): Promise<Diagnosis>
}

/** Parts of a backend, which fail and recover by themselves. */
export interface Parts {
  readonly count: number
  /** In which of them, from 0 on, a job, join, flow or schedule lies. */
  of(id: string): number
}

export interface Swept {
  /** Changes made; a full page means: sweep again at once. */
  readonly moved: number
  /** The backend's clock. */
  readonly now: EpochMillis
  /** In how long the next scheduled or retrying job, or the next schedule, becomes due. */
  readonly nextDue?: Millis
  /** Names of schedules that are due, the longest first; at most `limit`. */
  readonly schedules: readonly string[]
}

/**
 * A module that exports `connect: Connect` and plain data to call it with; a helper thread imports it,
 * so that a handler which blocks the main loop doesn't cost its worker the lease.
 */
export interface Pulse {
  readonly module: string
  readonly data: unknown
}
/** Opens the helper thread's own connection for one worker. */
export type PulseConnect = (data: unknown, worker: string, lease: Millis) => Promise<PulseLine>
export interface PulseLine {
  /** Renew the worker's lease, if it still has one. */
  beat(): Promise<void>
  close(): Promise<void>
}

export interface ConsumeOptions {
  /** Unique to this run of this worker; kept in the attempts' records. */
  readonly worker: string
  readonly queues: readonly { readonly name: string; readonly weight: number }[]
  /** How many jobs the worker runs at once. */
  readonly capacity: number
  /** How long the worker's right to its deliveries lasts without a renewal. */
  readonly lease: Millis
}

/** One worker's subscription. One `take` is outstanding at a time. */
export interface Consumer extends AsyncDisposable {
  /**
   * Up to `max` leased jobs: by priority, then first in, first out, per queue. Waits for the first, never
   * for the rest; `[]` only once aborted. A delivery with `crashes > 0` is handed out at most one at a time.
   */
  take(max: number, signal: AbortSignal): Promise<Delivery[]>
  /** The heartbeat: progress goes up; only the exceptions come down. */
  renew(progress: readonly Progress[]): Promise<Renewal>
  /** Each outcome atomically; safe to repeat. */
  finish(outcomes: readonly Outcome[]): Promise<Applied[]>
}

export interface Progress {
  readonly delivery: Delivery
  readonly progress: Body
}

export interface Renewal {
  /** Deliveries this worker holds that lie below a cancel mark. */
  readonly cancel: readonly Delivery[]
  /** Deliveries that are another worker's by now, or nobody's. */
  readonly lost: readonly Delivery[]
}

/** What to be told of: the union of what the fields ask for. */
export interface EventFilter {
  /** Ends of jobs and flows submitted with this `notify`. */
  readonly notify?: string
  /** Any change of these jobs and flows, progress included. */
  readonly ids?: readonly string[]
  /** That something this worker holds was marked as cancelled. */
  readonly worker?: string
}

/** Something may have changed: the job or flow `id`, or, without one, any that was asked for. */
export interface JobEvent {
  readonly id?: string
  /**
   * The end itself, where a backend can tell what is small at once: of a job its record, of a flow that
   * succeeded the record of the job whose output is its own. Without progress. It spares a read.
   */
  readonly ended?: JobRecord
}

/** What became of a call to cancel. `cancelling`: a handler still runs and has been told. */
export type Cancelled = 'cancelled' | 'cancelling' | 'final' | 'unknown'
/** What became of a call to retry. `member`: its slot in a flow is decided; `live`: it has not ended. */
export type Retried = 'waiting' | 'live' | 'succeeded' | 'member' | 'unknown'

export interface Control {
  /** Mark jobs or flows, and all below them; what has not started ends at once or by the next sweeps. */
  cancel(ids: readonly string[]): Promise<Cancelled[]>
  /** Queue failed, cancelled or expired jobs again, with their attempts counted from 1. */
  retry(ids: readonly string[]): Promise<Retried[]>
  /** Move the namespace's clock, for tests: the offset that every later `now` adds. */
  shiftClock(offset: Millis): Promise<void>
}
