import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { backoff } from '../async/backoff.ts'
import { pause } from '../async/signals.ts'
import type { Call } from '../core/body.ts'
import { unpackFailure } from '../core/failure.ts'
import type { Settings } from '../core/settings.ts'
import type { Definition, Logger } from '../core/task.ts'
import type { Backend, Consumer, Millis, Outcome, Renewal } from '../port/index.ts'
import { createExecutor } from './executor.ts'
import { createFetcher } from './fetcher.ts'
import { createFinisher } from './finisher.ts'
import { createLeases } from './leases.ts'
import type { Middleware } from './middleware.ts'
import { createScheduler } from './scheduler.ts'
import { createSweeper } from './sweeper.ts'

/** A worker's options, checked and complete. */
export interface WorkerConfig {
  readonly tasks: readonly Definition[]
  readonly queues: readonly { readonly name: string; readonly weight: number }[]
  readonly concurrency: number
  readonly grace: Millis
  readonly lease: Millis
  readonly blockedAfter: Millis
  readonly unknownTaskAfter: Millis
  readonly giveUpAfter: Millis
  readonly payloadLimit: number
  readonly middleware: readonly Middleware[]
  readonly settings: Settings
  readonly logger: Logger
  readonly signals: boolean
  readonly readInput: (call: Call) => Promise<unknown>
  /** Store what is declared with this worker. */
  readonly reconcile: () => Promise<void>
}

/** Where a worker is in its life. `starting` lasts until the backend has answered. */
export type WorkerState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped'

export interface WorkerHealth {
  readonly id: string
  readonly state: WorkerState
  readonly running: number
  readonly concurrency: number
  /** The last heartbeat that the backend confirmed, in milliseconds ago. */
  readonly heartbeatAge?: Millis
}

/**
 * Takes deliveries of its queues and runs them. See {@link App.worker}.
 *
 * @example
 * const worker = app.worker({ tasks: [thumbnail, album], concurrency: 20 })
 * await worker.run() // until SIGTERM, SIGINT or worker.stop()
 */
export interface Worker {
  /** As it stands in the records of the attempts that it made. */
  readonly id: string
  /**
   * Work until stopped by {@link Worker.stop}, SIGTERM or SIGINT; then finish what runs, or hand it back
   * once the grace period is over, and resolve. A second signal hands back at once.
   */
  run(): Promise<void>
  /** Take no more, finish or hand back, and let `run` resolve. `grace` in milliseconds overrides the option. */
  stop(options?: { readonly grace?: Millis }): Promise<void>
  health(): WorkerHealth
}

/** Wiring only: fetcher → executor → finisher, with leases and sweeps beside them. */
export function createWorker(backend: Backend, config: WorkerConfig): Worker {
  const { logger } = config
  const id = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`
  const stopping = new AbortController()
  let cutShort = new AbortController()
  let state: WorkerState = 'idle'
  let running: Promise<void> | undefined
  let beatAt: number | undefined
  let count = () => 0

  const onError = (error: unknown) => logger.error({ worker: id, error: plain(error) }, 'backend error')

  async function run(): Promise<void> {
    state = 'starting'
    const consumer = await subscribe()
    if (!consumer) return
    if (state === 'starting') state = 'running'
    const watching = new AbortController()
    const most = config.concurrency

    const finisher = createFinisher(consumer, {
      max: 1000,
      partOf: (id) => backend.parts?.of(id) ?? 0,
      onError,
      onStale: ({ delivery }) =>
        logger.warn(
          { worker: id, id: delivery.job.id, task: delivery.job.task },
          'late finish refused: the lease was lost',
        ),
      onSpace: () => fetcher.nudge(),
    })
    const executor = createExecutor({
      ...config,
      onProgress: (delivery, progress) => leases.report(delivery, progress),
      onEnd: (outcome) => {
        finisher.push(outcome)
        tell(outcome)
        fetcher.nudge()
      },
    })
    const leases = createLeases(backend, consumer, {
      ...config,
      worker: id,
      onError,
      onBlocked: (ms) =>
        logger.warn(
          { worker: id, ms: Math.round(ms), running: executor.running.size },
          'the event loop stood still: a handler that computes for long holds up all others; give it a thread',
        ),
      onRenewal: ({ cancel, lost }: Renewal) => {
        beatAt = performance.now()
        if (cancel.length > 0) executor.cancel(cancel)
        if (lost.length > 0) executor.lose(lost)
        if (lost.length > 0) {
          logger.warn(
            { worker: id, jobs: lost.map(({ job }) => job.id).slice(0, 10), count: lost.length },
            'lease lost',
          )
          fetcher.nudge()
        }
      },
    })
    const fetcher = createFetcher(consumer, {
      room: () =>
        Math.min(most - executor.running.size, 2 * most - executor.running.size - finisher.unfinished),
      onDelivery: executor.start,
      onError,
    })
    const sweeper = createSweeper(backend, createScheduler(backend, logger), config.lease, onError)
    const watcher = watch(watching.signal, () => leases.nudge())
    // A promise alone keeps no process alive.
    const alive = setInterval(() => {}, 2 ** 30)
    count = () => executor.running.size
    logger.info(
      { worker: id, queues: config.queues.map(({ name }) => name), concurrency: most },
      'worker started',
    )

    await aborted(stopping.signal)
    logger.info({ worker: id, running: executor.running.size }, 'worker stopping')
    await fetcher.stop()
    await settled(() => executor.running.size === 0, cutShort.signal)
    const left = executor.running.size
    executor.handBack(new Error('this worker is stopping; the job is run elsewhere'))
    await finisher.drain(AbortSignal.timeout(Math.max(1_000, config.lease)))
    watching.abort()
    await Promise.all([leases.stop(), sweeper.stop(), watcher])
    await Promise.resolve(consumer[Symbol.asyncDispose]()).catch(onError)
    clearInterval(alive)
    logger.info({ worker: id, handedBack: left }, 'worker stopped')
  }

  /** The backend may come later than we do. */
  async function subscribe(): Promise<Consumer | undefined> {
    const retry = backoff(100, 5_000)
    while (!stopping.signal.aborted) {
      try {
        await config.reconcile()
        return await backend.consume({
          worker: id,
          queues: config.queues,
          capacity: config.concurrency,
          lease: config.lease,
        })
      } catch (error) {
        if (!(error as { retryable?: boolean }).retryable) throw error
        onError(error)
        await pause(retry.next(), stopping.signal)
      }
    }
    return undefined
  }

  async function watch(signal: AbortSignal, look: () => void): Promise<void> {
    const retry = backoff(100, 5_000)
    while (!signal.aborted) {
      try {
        for await (const _ of backend.events({ worker: id }, signal)) look()
      } catch (error) {
        if (!signal.aborted) onError(error)
      }
      if (!signal.aborted) await pause(retry.next(), signal)
    }
  }

  function tell({ delivery, end }: Outcome): void {
    const { job, attempt } = delivery
    if (end.kind === 'again') {
      const error = end.error === undefined ? undefined : unpackFailure(end.error)
      const fields = {
        id: job.id,
        task: job.task,
        attempt,
        delay: end.delay,
        ...(error && { error: error.message }),
      }
      const unserved = error?.code === 'UNKNOWN_TASK' || error?.code === 'UNKNOWN_FORMAT'
      if (unserved) logger.warn(fields, 'not a job for this worker; it waits for one that knows it')
      else if (end.counts) logger.warn(fields, 'attempt failed; it is retried')
      else logger.info(fields, 'again later')
    } else if (end.kind === 'final' && end.state === 'failed') {
      const error = unpackFailure(end.result)
      logger.error(
        { id: job.id, task: job.task, attempt, code: error.code, error: error.message },
        'job failed',
      )
    }
  }

  /** Until `done`, looked at whenever a place comes free, or until the signal. */
  async function settled(done: () => boolean, signal: AbortSignal): Promise<void> {
    while (!done() && !signal.aborted) await pause(10, signal)
  }

  async function stop(options: { grace?: Millis } = {}): Promise<void> {
    const grace = options.grace ?? config.grace
    if (state === 'idle' || state === 'stopped') {
      state = 'stopped'
      return
    }
    state = 'stopping'
    const timer = setTimeout(() => cutShort.abort(), grace)
    if (grace === 0) cutShort.abort()
    stopping.abort()
    try {
      await running
    } catch {
      // That it could not run is told by run().
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    id,
    run() {
      if (running) return running
      if (state === 'stopped') return Promise.resolve()
      cutShort = new AbortController()
      const release = config.signals
        ? onSignals(
            () => void stop().catch(onError),
            () => cutShort.abort(),
          )
        : () => {}
      running = run().finally(() => {
        state = 'stopped'
        release()
      })
      return running
    },
    stop,
    health: () => ({
      id,
      state,
      running: count(),
      concurrency: config.concurrency,
      ...(beatAt !== undefined && { heartbeatAge: Math.round(performance.now() - beatAt) }),
    }),
  }
}

/** The first signal asks to stop, the second to stop at once; after that they are the system's again. */
function onSignals(first: () => void, second: () => void): () => void {
  let seen = 0
  const handle = () => {
    seen++
    if (seen === 1) first()
    else {
      release()
      second()
    }
  }
  function release() {
    process.off('SIGTERM', handle)
    process.off('SIGINT', handle)
  }
  process.on('SIGTERM', handle)
  process.on('SIGINT', handle)
  return release
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const plain = (error: unknown): object =>
  error instanceof Error
    ? { name: error.name, code: (error as { code?: unknown }).code, message: error.message }
    : { message: String(error) }
