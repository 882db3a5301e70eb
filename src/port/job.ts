/**
 * What is queued: jobs, joins and the submissions that carry them. All of it is plain, immutable
 * data; every driver stores these fields and none opens a {@link Body}.
 */

/** A length of time in milliseconds. */
export type Millis = number
/** A point in time: milliseconds since 1970-01-01 UTC, by the backend's clock. */
export type EpochMillis = number
/** A serialised value. Its first character is the format version; drivers never look inside. */
export type Body = string

/** The place in a join that a job, or an inner join, fills when it comes to its end. */
export interface Slot {
  readonly join: string
  readonly index: number
}

/** How long a record stays readable after its job has ended. 0 keeps none. */
export interface Keep {
  readonly succeeded: Millis
  /** Also for cancelled and expired jobs. */
  readonly failed: Millis
}

/** When a job may first run: relative or absolute, always by the backend's clock. */
export type Due = { readonly in: Millis } | { readonly at: EpochMillis }

/** One unit of work, as queued. */
export interface Job {
  /** Unique among the jobs and joins of a namespace. A flow's step is called `<root>/<path>`. */
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly body: Body
  /** 0 to 9; 9 is taken first. */
  readonly priority: number
  /** Absent: now. */
  readonly due?: Due
  /** Not started within this time after it was first due: `expired`. */
  readonly expiresIn?: Millis
  readonly keep: Keep
  /** The root id of the flow that it belongs to. */
  readonly flow?: string
  /** Filled by the driver at any final end, in the transaction of that end. */
  readonly reports?: Slot
  /** The process to wake when it ends. */
  readonly notify?: string
  /**
   * It has succeeded before, with this result: it is stored as succeeded and fills its slot at once. So a
   * flow that is run again takes over the steps that went well.
   */
  readonly done?: Body
}

/** What becomes runnable together. */
export interface Release {
  readonly jobs: readonly Job[]
  /** Joins of size 0, which are decided by being opened. */
  readonly opens?: readonly string[]
}

/** The record-keeping part of a flow's root join. */
export interface Root {
  /** The steps of the flow, for readers; drivers never open it. */
  readonly outline: Body
  readonly keep: Keep
  readonly notify?: string
}

/**
 * A barrier. Its slots hold who filled them (a job's or a join's id), never a value.
 * See {@link arrive} for the one rule by which it is decided.
 */
export interface Join {
  readonly id: string
  readonly flow: string
  readonly size: number
  /** The slot of the outer join that this one fills; absent on the root. */
  readonly reports?: Slot
  /** Queued when all slots are filled well. Its jobs carry the outer `reports`. */
  readonly release?: Release
  /** Queued when all slots are filled well, beside what follows. */
  readonly besides?: Job
  /** Queued when the join is decided badly, unless it was cancelled. */
  readonly otherwise?: Job
  /** Decide at the first failure instead of when full. */
  readonly failFast?: boolean
  /** The first failure cancels the other members. */
  readonly cancelSiblings?: boolean
  /** Present on the root join, which is the flow's record. */
  readonly root?: Root
}

/**
 * A job, or a whole flow: all its joins at once and the first jobs to run. All of it is accepted, or
 * none of it. Its id is that of the root join, else of its only job.
 */
export interface Submission extends Release {
  readonly joins?: readonly Join[]
  /** Accepted only if nobody else holds this key. */
  readonly unique?: Unique
}

/**
 * A key that one job or flow of a namespace holds at a time. It is given up by what becomes of its holder, so that
 * nothing has to be done for it when that ends: whether it is held is looked at by who wants it.
 */
export interface Unique {
  readonly key: string
  /**
   * How long the holder keeps it: while it has not started (a flow: as `finished`), while it has not ended, or
   * whatever becomes of it.
   */
  readonly until: 'started' | 'finished' | 'elapsed'
  /** But no longer than so. */
  readonly for?: Millis
  /**
   * Who wins while it is held. `last`, for single jobs: a holder that has not started takes over all that the
   * new one says but for its queue, its priority and whom it notifies.
   */
  readonly wins: 'first' | 'last'
}

/** The answer to one submission. */
export interface Receipt {
  /** Of the job or flow that stands for it: its own, or that of the holder of its key. */
  readonly id: string
  /** `duplicate`: a record of that id exists, and nothing was written. `replaced`: the holder runs as it says. */
  readonly status: 'accepted' | 'duplicate' | 'replaced'
}

/** The id by which a submission is known. */
export const idOf = (submission: Submission): string =>
  submission.joins?.find((join) => join.root)?.id ?? submission.jobs[0]!.id
