/** Where a job stands. `pending` and `skipped` belong to flow steps that have no job of their own. */
export type State =
  | 'pending'
  | 'scheduled'
  | 'waiting'
  | 'active'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'expired'
  | 'skipped'

/** A state that a queued job can be stored in. */
export type JobState = Exclude<State, 'pending' | 'skipped'>

/** The states that a job never leaves by itself. */
export type FinalState = 'succeeded' | 'failed' | 'cancelled' | 'expired'

/** Every state a job may be stored in, in the order of its life. */
export const jobStates = [
  'scheduled',
  'waiting',
  'active',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[]

export const isFinal = (state: State): state is FinalState | 'skipped' =>
  state === 'succeeded' ||
  state === 'failed' ||
  state === 'cancelled' ||
  state === 'expired' ||
  state === 'skipped'

/** Workers that may be lost under a job before the sweep fails it as `WORKER_LOST`. */
export const CRASH_LIMIT = 3

/** Attempts whose details are kept in a job's record; all are counted. */
export const ATTEMPTS_KEPT = 20

/** The greatest priority, taken first; the least, and the default, is 0. */
export const MAX_PRIORITY = 9
