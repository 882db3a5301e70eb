/**
 * Every error that Millrace throws. The class says who must act; the `code` is stable and is what
 * programs branch on; the message says what was expected, what came, and what to do.
 */
export type ErrorCode = UsageCode | FailureCode | BackendCode | WaitCode

/** Your call is wrong: change it. Nothing was stored. */
export type UsageCode =
  | 'BAD_URL'
  | 'DRIVER_MISSING'
  | 'DUPLICATE_TASK'
  | 'EMPTY_CHAIN'
  | 'INVALID_ID'
  | 'INVALID_INPUT'
  | 'INVALID_OPTION'
  | 'NO_HANDLER'
  | 'NOT_RETRYABLE'
  | 'FLOW_MEMBER'
  | 'FLOW_TOO_LARGE'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNKNOWN_OPTION'
  | 'UNSERIALISABLE'
  | 'CLOSED'
  | 'UNKNOWN_SCHEDULE'

/** Why a job did not succeed. */
export type FailureCode =
  | 'TASK_FAILED'
  | 'TIMEOUT'
  | 'DISCARDED'
  | 'GAVE_UP'
  | 'INVALID_INPUT'
  | 'INVALID_OUTPUT'
  | 'UNSERIALISABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNKNOWN_TASK'
  | 'UNKNOWN_FORMAT'
  | 'WORKER_LOST'
  | 'EXPIRED'
  | 'CANCELLED'
  | 'SKIPPED'
  | 'FLOW_FAILED'

/** The backend could not do it. */
export type BackendCode =
  | 'BACKEND_UNAVAILABLE'
  | 'BACKEND_MISSING'
  | 'BACKEND_LOCKED'
  | 'BACKEND_FULL'
  | 'BACKEND_READ_ONLY'
  | 'BACKEND_CORRUPT'
  | 'BACKEND_VERSION'
  | 'BACKEND_AUTH'
  | 'BACKEND_CLOSED'
  | 'BACKEND_ERROR'
  | 'ENQUEUE_TIMEOUT'

/** A wait ended without its answer; the job itself is untouched. */
export type WaitCode = 'RESULT_TIMEOUT' | 'NOT_KEPT' | 'UNKNOWN_JOB' | 'ABORTED'

/** The base of every error that Millrace throws. */
export class MillraceError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'MillraceError'
  /** Stable; for programs. */
  readonly code: C
  constructor(code: C, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The call is wrong: its input, an option, a name. Nothing was stored. */
export class UsageError extends MillraceError<UsageCode> {
  override readonly name = 'UsageError'
  /** Where in the value the fault lies, such as `input.images[2].width`; empty when it is not in a value. */
  readonly path: string
  constructor(code: UsageCode, message: string, options?: { cause?: unknown; path?: string }) {
    super(code, message, options)
    this.path = options?.path ?? ''
  }
}

/** A job that did not succeed, as `result()` rejects with it. */
export class TaskFailedError extends MillraceError<FailureCode> {
  override readonly name = 'TaskFailedError'
  /** The job's id. */
  readonly id: string
  readonly task: string
  /** Attempts made. */
  readonly attempts: number
  /** The `name` of the error that the handler threw. */
  readonly errorName: string
  /** The `code` of the error that the handler threw, if it had one. */
  readonly errorCode: string | undefined
  /** Of a flow: each step that did not succeed, in the order of declaration. */
  readonly failures: readonly {
    readonly id: string
    /** Its place in the flow: `[1, 0]` is the first member, or step, of the second. */
    readonly path: readonly number[]
    readonly task: string
    readonly code: FailureCode
    readonly message: string
    readonly attempts: number
  }[]
  constructor(
    code: FailureCode,
    message: string,
    detail: {
      id: string
      task: string
      attempts: number
      errorName?: string
      errorCode?: string
      stack?: string
      failures?: TaskFailedError['failures']
      cause?: unknown
    },
  ) {
    super(code, message, { cause: detail.cause })
    this.id = detail.id
    this.task = detail.task
    this.attempts = detail.attempts
    this.errorName = detail.errorName ?? 'Error'
    this.errorCode = detail.errorCode
    this.failures = detail.failures ?? []
    if (detail.stack) this.stack = detail.stack
  }
}

/** The backend refused or could not be reached. */
export class BackendError extends MillraceError<BackendCode> {
  override readonly name = 'BackendError'
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  constructor(code: BackendCode, message: string, options?: { cause?: unknown; retryable?: boolean }) {
    super(code, message, options)
    this.retryable = options?.retryable ?? false
  }
}

/** A wait ended without its answer. The job goes on. */
export class WaitError extends MillraceError<WaitCode> {
  override readonly name = 'WaitError'
}

/**
 * Throw it in a handler: run this job again after `delay`, without spending an attempt. A job that does
 * so for longer than `giveUpAfter` (7 days unless set) fails with `GAVE_UP`.
 *
 * @example
 * if (response.status === 429) throw new RetryLater('5m')
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly delay: string | number
  /** @param delay - a duration such as `'5m'`, or milliseconds */
  constructor(delay: string | number, message = `again in ${delay}`) {
    super(message)
    this.delay = delay
  }
}

/**
 * Throw it in a handler: give this job up now, whatever attempts are left. It fails with `DISCARDED`.
 *
 * @example
 * if (response.status === 404) throw new Discard('the photo is gone')
 */
export class Discard extends Error {
  override readonly name = 'Discard'
}
