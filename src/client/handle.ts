import { unpackValue } from '../core/body.ts'
import { type Duration, millis } from '../core/duration.ts'
import { joinFailures, toError } from '../core/failure.ts'
import { checkOptions } from '../core/options.ts'
import { onlyStep } from '../core/outline.ts'
import { BackendError, UsageError, WaitError } from '../errors.ts'
import { type Cancelled, isFinal, type Records, type State } from '../port/index.ts'
import type { Client } from './client.ts'
import { type JobInfo, type ProgressInfo, toInfo } from './info.ts'
import { followProgress } from './progress.ts'
import { attemptsOf, failureOf, readFailures, readSlots, readValues } from './values.ts'
import type { AnyRecord } from './watcher.ts'

/** How long to wait. */
export interface WaitOptions {
  /** Reject with `RESULT_TIMEOUT` after this time. @defaultValue '30s' */
  readonly timeout?: Duration
  /** Reject with `ABORTED` when it aborts. The job goes on. */
  readonly signal?: AbortSignal
}

/**
 * A job, wherever it runs.
 *
 * @example
 * const job = app.job(request.params.id)
 * const state = await job.state()
 * response.json(state === 'succeeded' ? await job.result() : { state })
 */
export interface Handle<O = unknown> {
  readonly id: string
  /** Where it stands now; `unknown` when there is no record of that id. */
  state(): Promise<State | 'unknown'>
  /**
   * Its output, once it has succeeded.
   *
   * @throws TaskFailedError when it failed, was cancelled or expired: with the handler's own message and stack
   * @throws WaitError RESULT_TIMEOUT, NOT_KEPT, UNKNOWN_JOB, ABORTED
   * @throws BackendError when the backend can't be reached until the timeout
   */
  result(options?: WaitOptions): Promise<O>
  /** All that is known of it; `undefined` when there is no record. */
  info(): Promise<JobInfo | undefined>
  /**
   * Cancel it: what has not started ends at once, a running handler is told by its `signal`.
   *
   * @returns what became of it; `final` when it had ended before
   */
  cancel(): Promise<Cancelled>
  /**
   * Queue a failed, cancelled or expired job again, with its attempts counted from 1.
   *
   * @returns the handle of the new run: of a job this one, of a job with handlers a new one
   * @throws UsageError NOT_RETRYABLE when it has not ended or has succeeded; FLOW_MEMBER for a flow's step
   * @throws WaitError UNKNOWN_JOB
   */
  retry(): Promise<Handle<O>>
  /** Its progress reports as they come, the latest first; ends with the job. */
  readonly progress: AsyncIterable<ProgressInfo>
}

/** The handle that `enqueue` gives. */
export interface EnqueuedHandle<O = unknown> extends Handle<O> {
  /**
   * `duplicate`: a job of that id is known, or another holds its key, and this call has changed nothing.
   * `replaced`: the job that holds its key, and has not started, runs as this call says.
   */
  readonly status: 'accepted' | 'duplicate' | 'replaced'
}

export const WAIT_OPTIONS: readonly string[] = ['timeout', 'signal']
const LONG_WAIT = 5_000

export interface HandleParts {
  readonly id: string
  /** Submitted by this process. */
  readonly own: boolean
  /** Absent on a handle that `enqueue` didn't give. */
  readonly status?: EnqueuedHandle['status']
  /** What had been heard of ends by the time it was submitted: see {@link Watch.since}. */
  readonly since?: number | undefined
}

/** What handles of jobs and of flows share. A class, since one is made for every enqueue: methods cost nothing then. */
export class BaseHandle<O> {
  readonly id: string
  declare readonly status: EnqueuedHandle['status']
  readonly #client: Client
  readonly #own: boolean
  readonly #since: number | undefined

  constructor(client: Client, { id, own, status, since }: HandleParts) {
    this.id = id
    if (status) this.status = status
    this.#client = client
    this.#own = own
    this.#since = since
  }

  async state(): Promise<State | 'unknown'> {
    return (await this.#client.watcher.get(this.id))?.state ?? 'unknown'
  }

  async result(options: WaitOptions = {}): Promise<O> {
    const parts = { id: this.id, own: this.#own, status: this.status, since: this.#since }
    const record = await waitFor(this.#client, parts, options, ({ state }) => isFinal(state), true)
    return (await outputOf(this.#client, record)) as O
  }

  async info(): Promise<JobInfo | undefined> {
    const { watcher } = this.#client
    const record = await watcher.get(this.id)
    if (record?.kind !== 'flow') return record && toInfo(record)
    // A job with handlers is kept as a flow of one step.
    const only = onlyStep(record.id, record.outline)
    const step = only === undefined ? undefined : await watcher.get(only)
    return step?.kind === 'job' ? toInfo(step) : undefined
  }

  async cancel(): Promise<Cancelled> {
    return (await this.#client.backend.control.cancel([this.id]))[0]!
  }

  get progress(): AsyncIterable<ProgressInfo> {
    return { [Symbol.asyncIterator]: () => followProgress(this.#client, this.id) }
  }
}

/** The handle of a job, over a client's reads and commands. */
export class JobHandle<O> extends BaseHandle<O> implements Handle<O> {
  readonly #client: Client

  constructor(client: Client, parts: HandleParts) {
    super(client, parts)
    this.#client = client
  }

  async retry(): Promise<Handle<O>> {
    const { id } = this
    const [answer] = await this.#client.backend.control.retry([id])
    if (answer === 'waiting') return this
    if (answer === 'unknown') throw unknown(id)
    if (answer === 'member') {
      const isFlow = (await this.#client.watcher.get(id))?.kind === 'flow'
      const what = isFlow ? 'is a flow.' : 'is a step of a flow, which has gone on without it.'
      throw new UsageError('FLOW_MEMBER', `${id} ${what} Retry the flow: app.flow(id).retry().`)
    }
    const why = answer === 'live' ? 'it has not ended yet' : 'it has succeeded'
    throw new UsageError('NOT_RETRYABLE', `${id} can't be retried: ${why}.`)
  }
}

/** The output of what has succeeded; throws what `result()` rejects with for anything else. */
async function outputOf(client: Client, record: AnyRecord): Promise<unknown> {
  if (record.kind === 'job') {
    const { job } = record
    const failure = failureOf(record)
    if (failure) throw toError(failure, { id: job.id, task: job.task, attempts: attemptsOf(record) })
    return unpackValue(record.result!)
  }
  const { records } = client.backend
  if (record.state === 'succeeded') return (await readValues(records, await fillersOf(records, record.id)))[0]
  const failures = (await readFailures(records, await fillersOf(records, record.id))).flat()
  const flow = { id: record.id, task: 'flow', attempts: 1 }
  if (record.state === 'cancelled') throw toError({ ...joinFailures([]), failures }, flow)
  // One failure is told as the step's own.
  throw toError(joinFailures(failures), failures.length === 1 ? failures[0]! : flow)
}

const fillersOf = async (records: Records, join: string): Promise<string[]> =>
  (await readSlots(records, join)).map(({ by }) => by)

const unknown = (id: string): WaitError =>
  new WaitError(
    'UNKNOWN_JOB',
    `There is no job ${JSON.stringify(id)}: it was never accepted here, or its record is gone.`,
  )

/**
 * Wait until a record is as wished. Subscribes first and looks then, so nothing is missed; what it is told of
 * is only a reason to look, unless it takes an end from the hint itself: of a flow, that is its last job's record.
 */
export function waitFor(
  client: Client,
  { id, own, status, since }: HandleParts,
  options: WaitOptions,
  done: (record: AnyRecord) => boolean | Promise<boolean>,
  takesEnd = false,
): Promise<AnyRecord> {
  checkOptions(options, WAIT_OPTIONS, 'result')
  const timeout = millis(options.timeout ?? '30s', 'timeout')
  const { signal } = options
  return new Promise((resolve, reject) => {
    // What this process has submitted, or found to be a duplicate, was there.
    let known = own || status !== undefined
    let trouble: unknown
    const end = (settle: () => void) => {
      clearTimeout(timer)
      clearTimeout(long)
      stop()
      signal?.removeEventListener('abort', abort)
      client.waits.delete(close)
      settle()
    }
    const abort = () =>
      end(() =>
        reject(new WaitError('ABORTED', `The wait for ${id} was aborted.`, { cause: signal?.reason })),
      )
    const close = () =>
      end(() => reject(new WaitError('ABORTED', `The app was closed while waiting for ${id}.`)))
    const fail = (error: unknown) => {
      if (error instanceof BackendError && !error.retryable) end(() => reject(error))
      else trouble = error
    }
    let latest: AnyRecord | undefined
    const late = () => reject(trouble ?? tooLong(id, timeout, latest))
    const timer = setTimeout(() => end(late), Math.min(timeout, 2 ** 31 - 1))
    const long = setTimeout(() => client.onLongWait(id), LONG_WAIT).unref()
    const stop = client.watcher.watch({
      id,
      own,
      since,
      ...(takesEnd && { ended: (record) => end(() => resolve(record)) }),
      see(record) {
        trouble = undefined
        if (!record) return end(() => reject(known ? notKept(id) : unknown(id)))
        known = true
        latest = record
        const answer = done(record)
        if (answer === true) return end(() => resolve(record))
        if (answer !== false) return answer.then((yes) => yes && end(() => resolve(record)), fail)
        return undefined
      },
      fail,
    })
    client.waits.add(close)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

const notKept = (id: string): WaitError =>
  new WaitError('NOT_KEPT', `${id} has ended, and its record was not kept. Set keep to read results.`)

function tooLong(id: string, timeout: number, record: AnyRecord | undefined): WaitError {
  const longer = 'It goes on; wait longer with result({ timeout }).'
  const idle =
    record?.kind === 'job' && record.state === 'waiting'
      ? `It waits in the queue "${record.job.queue}": does a worker serve it, and know the task "${record.job.task}"?`
      : longer
  const state = record ? `, and is ${record.state}` : ''
  return new WaitError(
    'RESULT_TIMEOUT',
    `${id} has not ended within ${Math.round(timeout)} ms${state}. ${idle}`,
  )
}
