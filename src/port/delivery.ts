import type { Body, Job, Millis } from './job.ts'

/** One hand-over of a job to a worker. */
export interface Delivery {
  readonly job: Job
  /** One more at every take, never reset: the fence against a worker that lost its lease. */
  readonly token: number
  /** 1 + the failures counted so far. */
  readonly attempt: number
  /** Workers lost under this job so far, counted apart from failures. */
  readonly crashes: number
  /** Time since it was first due, by the backend's clock. */
  readonly age: Millis
  /** The driver's own. */
  readonly tag?: unknown
}

/** How a delivery ended. */
export type End =
  /** It will not run again. `result` is the value, or the error of a failed or cancelled one. */
  | { readonly kind: 'final'; readonly state: 'succeeded' | 'failed' | 'cancelled'; readonly result: Body }
  /** Run it again after `delay`; `counts` spends an attempt. */
  | { readonly kind: 'again'; readonly delay: Millis; readonly error?: Body; readonly counts: boolean }
  /** Handed back unstarted or cut short: to the front of its line, nothing counted. */
  | { readonly kind: 'back' }

/** What became of one delivery. All of it takes effect, or none of it does. */
export interface Outcome {
  readonly delivery: Delivery
  /** How long the handler ran. */
  readonly ran: Millis
  readonly end: End
}

/** `stale`: the token had moved on, and nothing was written. */
export type Applied = 'applied' | 'stale'
