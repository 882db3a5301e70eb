import { type Client, createClient, readInput } from './client/client.ts'
import {
  type FailureFilter,
  type Failures,
  listFailures,
  type RetriedMany,
  retryFailed,
} from './client/failures.ts'
import { type FlowHandle, FlowHandleOf } from './client/flow-handle.ts'
import { type EnqueuedHandle, type Handle, JobHandle } from './client/handle.ts'
import {
  type JobsFilter,
  type JobsPage,
  listJobs,
  listQueues,
  listWorkers,
  type QueueInfo,
  type WorkerInfo,
} from './client/inspect.ts'
import type { Accepted, EnqueueManyOptions, EnqueueOptions } from './client/producer.ts'
import { type DefinedSchedule, type ScheduleHandle, scheduleHandle } from './client/schedule-handle.ts'
import { createScheduling, type ScheduleInfo, type Scheduling } from './client/schedules.ts'
import { PAYLOAD_LIMIT } from './core/body.ts'
import type { Logger } from './core/definition.ts'
import { type Duration, millis } from './core/duration.ts'
import { checkOptions, invalid } from './core/options.ts'
import type { Complete, OutputOf, Part, Single, Step } from './core/part.ts'
import type { Recurrence } from './core/recurrence.ts'
import {
  checkScheduleName,
  type DefinitionValue,
  type ScheduleOptions,
  schedule,
} from './core/schedule-options.ts'
import { checkRunOptions, RUN_OPTIONS, type RunOptions } from './core/settings.ts'
import { show } from './core/show.ts'
import { openBackend } from './drivers/open.ts'
import { UsageError } from './errors.ts'
import type { Backend, Diagnosis } from './port/index.ts'
import { type CheckedConfig, checkWorker, type WorkerOptions } from './worker/config.ts'
import { checkLogger, defaultLogger, silent } from './worker/logger.ts'
import { createWorker, type Worker, type WorkerHealth } from './worker/worker.ts'

/** Options of {@link connect}; those of {@link RunOptions} hold for all jobs that say nothing else. */
export interface ConnectOptions extends RunOptions {
  /**
   * What keeps the jobs that `amqp://` carries: a URL, or a backend made by a driver's own function.
   * @defaultValue `MILLRACE_RESULTS`
   */
  readonly results?: string | Backend
  /** Where workers tell of starts, stops, failures and retries; `false` for nowhere. */
  readonly logger?: Logger | false
  /** Bytes that one input or output may take. @defaultValue 1,000,000 */
  readonly payloadLimit?: number
  /** An enqueue without an answer by then is rejected with ENQUEUE_TIMEOUT. @defaultValue '10s' */
  readonly enqueueTimeout?: Duration
}

/** Whether this process can do its work: for a readiness probe. */
export interface Health {
  /** The backend answers, and every worker of this app that was started runs. */
  readonly ready: boolean
  readonly backend: { readonly ok: boolean; readonly error?: string }
  readonly workers: readonly WorkerHealth[]
}

/** What `enqueue` of a part gives: the handle of a job, or of a flow. */
export type HandleOf<P> = P extends Single
  ? EnqueuedHandle<OutputOf<P>>
  : FlowHandle<OutputOf<P>> & EnqueuedHandle<OutputOf<P>>

/** A connection to one backend: enqueue, look, and work. */
export interface App extends AsyncDisposable {
  /**
   * Hand many over: all are checked before any is submitted, then each is accepted or a duplicate by itself. (It
   * stands first because the compiler explains a call that fits none by the last.)
   */
  enqueue<const M extends readonly Part[]>(
    parts: M & { readonly [K in keyof M]: Complete<M[K]> },
    options?: EnqueueManyOptions,
  ): Promise<{ -readonly [K in keyof M]: HandleOf<M[K]> }>
  /**
   * Hand work over. Resolves once the backend has accepted it, as durable as the backend's settings make it.
   *
   * @throws UsageError when the call is wrong: INVALID_INPUT, UNSERIALISABLE, PAYLOAD_TOO_LARGE, …
   * @throws BackendError when the backend can't take it; ENQUEUE_TIMEOUT after {@link ConnectOptions.enqueueTimeout}
   *
   * @example
   * const job = await app.enqueue(thumbnail.with({ key: 'cat.jpg' }), { delay: '5s', id: 'thumb:cat' })
   * response.status(202).json({ id: job.id })
   */
  enqueue<P extends Part>(part: P & Complete<P>, options?: EnqueueOptions): Promise<HandleOf<P>>
  /** The job of that id, from any process; with its task, typed. Asks the backend nothing by itself. */
  job<O>(id: string, task: Step<never, O>): Handle<O>
  job(id: string): Handle
  /** The flow of that id, from any process. */
  flow<O = unknown>(id: string): FlowHandle<O>
  /**
   * A worker for these tasks. It does nothing until {@link Worker.run}.
   *
   * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION, NO_HANDLER, DUPLICATE_TASK
   */
  worker(options: WorkerOptions): Worker
  /**
   * Fire a signature or flow again and again. Idempotent by name: the same definition changes nothing, another
   * replaces the one before; a pause stays. Each due time is fired once, as the job or flow
   * `<name>@<due time>`, by whichever worker is first; workers of any tasks do it.
   *
   * @param when - what {@link cron} or {@link every} makes
   * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION, and those of `enqueue`
   * @throws BackendError when the backend can't store it
   * @example
   * await app.schedule('nightly', cron('0 3 * * *', { timezone: 'Europe/Paris' }), report.with({ days: 1 }))
   */
  schedule<P extends Part>(
    name: string,
    when: Recurrence,
    part: P & Complete<P>,
    options?: ScheduleOptions,
  ): Promise<DefinedSchedule>
  /** The schedule of that name. Asks the backend nothing by itself. */
  scheduled(name: string): ScheduleHandle
  /** All schedules, by name. */
  schedules(): Promise<ScheduleInfo[]>
  /** Jobs by state, task and queue, newest first, in pages. */
  jobs(filter?: JobsFilter): Promise<JobsPage>
  /** Failed jobs by what went wrong, the most frequent first. Reads the newest of them, 10,000 unless told. */
  failures(filter?: FailureFilter): Promise<Failures>
  /**
   * Queue the failed jobs of a filter again, with their attempts counted from 1. Steps of flows stay as they are:
   * their flow is retried, by its handle.
   */
  retryFailed(filter?: FailureFilter): Promise<RetriedMany>
  /** The queues that hold any jobs, with their counts by state. */
  queues(): Promise<QueueInfo[]>
  /** The workers that are alive, in all processes. */
  workers(): Promise<WorkerInfo[]>
  health(): Promise<Health>
  /** The backend's versions, clock and settings, with a warning for each that would lose or slow work. */
  diagnose(): Promise<Diagnosis>
  /** Stop the workers, finish what is being enqueued, end all waits, and let go of the backend. */
  close(): Promise<void>
}

/**
 * Connect to the place where jobs are kept. Opens nothing yet: the first call does.
 *
 * @param where - a URL (`memory:`, `sqlite:./millrace.db`, `redis://…`, or `amqp://…` with `results`), or a
 * backend made by a driver's own function; `MILLRACE_URL` or else `sqlite:./millrace.db` when left out
 * @throws UsageError BAD_URL, INVALID_OPTION, UNKNOWN_OPTION
 *
 * @example
 * const app = connect('sqlite:./millrace.db', { retry: 5 })
 */
export function connect(where?: string | Backend, options: ConnectOptions = {}): App {
  checkOptions(options, [...RUN_OPTIONS, 'results', 'logger', 'payloadLimit', 'enqueueTimeout'], 'connect')
  const { results, logger: given, payloadLimit = PAYLOAD_LIMIT, enqueueTimeout = '10s', ...run } = options
  if (!Number.isInteger(payloadLimit) || payloadLimit < 1024) {
    throw invalid('payloadLimit', 'a whole number of bytes from 1024', payloadLimit)
  }
  const logger = given === false ? silent : given === undefined ? defaultLogger() : checkLogger(given)
  const config = {
    settings: checkRunOptions(run),
    payloadLimit,
    enqueueTimeout: millis(enqueueTimeout, 'enqueueTimeout'),
  }
  const backend = backendOf(where, results)
  const workers: Worker[] = []
  return createApp(createClient(backend, config, warnIfFull(workers, logger)), workers, logger)
}

function backendOf(where: string | Backend | undefined, results?: string | Backend): Backend {
  const url = where ?? (process.env.MILLRACE_URL || 'sqlite:./millrace.db')
  if (typeof url === 'string') return openBackend(url, results ?? process.env.MILLRACE_RESULTS)
  if (typeof url.submit === 'function') return url
  throw new UsageError(
    'BAD_URL',
    `Expected a URL such as sqlite:./millrace.db, or a backend, got ${show(url)}.`,
  )
}

/**
 * A handler that awaits a job keeps its place while it waits: with all places of this process so taken,
 * nobody may be left to run what they wait for.
 */
function warnIfFull(workers: readonly Worker[], logger: Logger): (id: string) => void {
  return (id) => {
    const full = workers
      .map((worker) => worker.health())
      .find(({ running, concurrency }) => running >= concurrency)
    if (!full) return
    logger.warn(
      { id, worker: full.id, concurrency: full.concurrency },
      'waiting for a job while every place of this worker is taken: a handler that awaits another job may wait for itself; make it a step of a chain, or raise concurrency',
    )
  }
}

function createApp(client: Client, workers: Worker[], logger: Logger): App {
  const { backend, config, producer } = client
  const scheduling = createScheduling(client)
  /** Calls under way, for which the backend stays open. */
  let enqueuing = 0
  let enqueued = () => {}
  let closing: Promise<void> | undefined

  const handleOf = ({ id, status, isFlow }: Accepted, since: number | undefined) => {
    const own = status === 'accepted'
    const parts = { id, own, status, since: own ? since : undefined }
    return isFlow ? new FlowHandleOf(client, parts) : new JobHandle(client, parts)
  }

  const open = () => {
    if (closing) throw new UsageError('CLOSED', 'This app is closed. Call connect() again.')
  }

  return {
    async enqueue(value: unknown, options?: EnqueueOptions): Promise<never> {
      open()
      enqueuing++
      const since = client.watcher.heard
      try {
        const answer = Array.isArray(value)
          ? (await producer.enqueueAll(value, options)).map((accepted) => handleOf(accepted, since))
          : handleOf(await producer.enqueue(value, options), since)
        return answer as never
      } finally {
        if (--enqueuing === 0) enqueued()
      }
    },
    job: (id: string) => new JobHandle<never>(client, { id, own: false }),
    flow: (id) => new FlowHandleOf(client, { id, own: false }),
    worker(options) {
      open()
      const own = options?.logger
      const checked = checkWorker(options, {
        ...config,
        logger: own === undefined ? logger : own === false ? silent : checkLogger(own),
      })
      const worker = createWorker(backend, {
        ...checked,
        readInput: (call) => readInput(backend, call),
        reconcile: () => reconcile(scheduling, checked),
      })
      workers.push(worker)
      return worker
    },
    async schedule(name, when, part, options) {
      open()
      const definition = schedule(name, when, part as never, options) as unknown as DefinitionValue
      const status = await scheduling.define(definition, false)
      return { ...scheduleHandle(client, scheduling, definition.name), status }
    },
    scheduled: (name) => scheduleHandle(client, scheduling, checkScheduleName(name)),
    schedules: async () => scheduling.list(),
    jobs: async (filter) => listJobs(backend, filter),
    failures: async (filter) => listFailures(backend, filter),
    retryFailed: async (filter) => retryFailed(backend, filter),
    queues: async () => listQueues(backend),
    workers: async () => listWorkers(backend),
    async health() {
      const started = workers.map((worker) => worker.health()).filter(({ state }) => state !== 'idle')
      const reached = await reach(backend)
      return {
        ready: reached.ok && !closing && started.every(({ state }) => state === 'running'),
        backend: reached,
        workers: started,
      }
    },
    diagnose: async () => backend.diagnose(),
    close() {
      closing ??= close()
      return closing
    },
    [Symbol.asyncDispose]() {
      return this.close()
    },
  }

  async function close(): Promise<void> {
    await Promise.all(workers.map((worker) => worker.stop()))
    if (enqueuing > 0) {
      await new Promise<void>((resolve) => {
        enqueued = resolve
      })
    }
    for (const end of client.waits) end()
    client.watcher.close()
    await backend[Symbol.asyncDispose]()
  }
}

/** Store the schedules that a worker declares, and see to those that it declares no more. */
async function reconcile(
  scheduling: Scheduling,
  { schedules, removeSchedules, logger }: CheckedConfig,
): Promise<void> {
  if (schedules.length === 0 && !removeSchedules) return
  for (const definition of schedules) {
    const status = await scheduling.define(definition, true)
    if (status !== 'unchanged') logger.info({ schedule: definition.name }, `schedule ${status}`)
  }
  for (const name of await scheduling.vanished(schedules.map((each) => each.name))) {
    if (removeSchedules && (await scheduling.remove(name)))
      logger.info({ schedule: name }, 'schedule removed')
    else logger.warn({ schedule: name }, 'a schedule is stored that this worker does not declare any more')
  }
}

async function reach(backend: Backend): Promise<Health['backend']> {
  try {
    await backend.records.workers()
    return { ok: true }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) }
  }
}
