import type { Call } from '../core/body.ts'
import { packValue } from '../core/body.ts'
import { invalid } from '../core/options.ts'
import type { Context, Logger } from '../core/task.ts'
import type { Body, Delivery } from '../port/index.ts'

/** What an execution asks of its surroundings. */
export interface Surroundings {
  readonly logger: Logger
  /** Send progress up with the next heartbeat. */
  progressed(execution: Execution, progress: Body): void
}

/** What a progress report says. */
export interface ProgressReport {
  /** 0 to 100. */
  readonly percent: number
  readonly note?: string
}

/**
 * One delivery while it runs: the context that its handler sees, and the handles by which the worker cuts
 * it short. What costs something is made only for handlers that ask for them.
 */
export class Execution implements Context {
  readonly delivery: Delivery
  readonly #surroundings: Surroundings
  #headers: Readonly<Record<string, string>> | undefined
  #abort: AbortController | undefined
  #log: Logger | undefined
  #progress: Context['progress'] | undefined
  /** Why it was cut short; the handler's signal carries it. */
  #reason: Error | undefined
  /** Its outcome has been handed on; what the handler does from now on is of no effect. */
  over = false
  cancelling = false

  constructor(delivery: Delivery, surroundings: Surroundings) {
    this.delivery = delivery
    this.#surroundings = surroundings
  }

  get id(): string {
    return this.delivery.job.id
  }
  get task(): string {
    return this.delivery.job.task
  }
  get queue(): string {
    return this.delivery.job.queue
  }
  get attempt(): number {
    return this.delivery.attempt
  }
  get flow(): string | undefined {
    return this.delivery.job.flow
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#headers ?? {}
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#reason) this.#abort.abort(this.#reason)
    }
    return this.#abort.signal
  }

  get log(): Logger {
    this.#log ??= bind(this.#surroundings.logger, { id: this.id, task: this.task, attempt: this.attempt })
    return this.#log
  }

  /** Bound, so that handlers can take it from the context. */
  get progress(): Context['progress'] {
    this.#progress ??= (percent, note) => this.#report(percent, note)
    return this.#progress
  }

  #report(percent: number, note: string | undefined): void {
    if (!(percent >= 0 && percent <= 100)) throw invalid('percent', 'a number from 0 to 100', percent)
    if (this.over) return
    const report: ProgressReport = note === undefined ? { percent } : { percent, note: String(note) }
    this.#surroundings.progressed(this, packValue(report, 'progress'))
  }

  /** The call has been read. */
  open(call: Call): void {
    this.#headers = call.headers
  }

  /** Tell the handler to stop, and why. */
  abort(reason: Error): void {
    this.#reason ??= reason
    this.#abort?.abort(this.#reason)
  }

  /** A cancel mark lies on the job: the handler should stop, and a failure of it ends the job. */
  cancel(): void {
    if (this.cancelling) return
    this.cancelling = true
    const reason = new Error('the job was cancelled')
    reason.name = 'CancelledError'
    this.abort(reason)
  }
}

function bind(logger: Logger, fields: object): Logger {
  const level = (name: keyof Logger) => (own: object, message: string) =>
    logger[name]({ ...fields, ...own }, message)
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}
