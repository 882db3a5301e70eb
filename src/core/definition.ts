import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Settings } from './settings.ts'

/** Where messages go: any logger with these four, such as pino. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What a handler is told of the job it runs, and what it may do besides returning. */
export interface Context {
  /** The job's id. */
  readonly id: string
  /** The task's name. */
  readonly task: string
  readonly queue: string
  /** 1 + the failures counted so far. */
  readonly attempt: number
  /** The id of the flow that the job belongs to. */
  readonly flow?: string
  /** The texts that were given with the job. */
  readonly headers: Readonly<Record<string, string>>
  /** Aborts when the job is cancelled, times out, or is taken away at a shutdown. */
  readonly signal: AbortSignal
  /** A logger whose messages carry the job's ids. */
  readonly log: Logger
  /**
   * Tell whoever watches how far it is.
   *
   * @param percent - 0 to 100
   */
  progress(percent: number, note?: string): void
}

/** A task as worker and producer see it. Every {@link Task} and contract is one at run time. */
export interface Definition {
  readonly kind: 'task'
  readonly name: string
  readonly input?: StandardSchemaV1
  readonly output?: StandardSchemaV1
  /** What its options set, checked; the levels above and below are laid over and under it. */
  readonly settings: Settings
  /** Absent on a contract without handler. */
  readonly run?: (input: never, context: Context) => unknown
}
