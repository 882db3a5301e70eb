import { Worker as Thread } from 'node:worker_threads'
import { type Ticker, ticker } from '../async/ticker.ts'
import type { Backend, Body, Consumer, Delivery, Millis, Renewal } from '../port/index.ts'

export interface LeaseOptions {
  readonly worker: string
  readonly lease: Millis
  /** The main loop stands still for this long: blocked, so that others may take over. */
  readonly blockedAfter: Millis
  readonly onRenewal: (renewal: Renewal) => void
  /** The main loop moves again after a time in which a heartbeat of it was missed. */
  readonly onBlocked: (ms: Millis) => void
  readonly onError: (error: unknown) => void
}

export interface Leases {
  /** Send progress with the next heartbeat, which then comes soon; the last report of a delivery wins. */
  report(delivery: Delivery, progress: Body): void
  /** Something was marked as cancelled: look now. */
  nudge(): void
  stop(): Promise<void>
}

/** Progress triggers a heartbeat, at most this often. */
const PROGRESS_EVERY: Millis = 200

/**
 * The heartbeat of a worker, at a third of its lease. Progress goes up with it, cancellations and losses
 * come down. A helper thread beats as well, on a connection of its own, so that a handler that blocks the
 * main loop keeps its lease until `blockedAfter`: the thread judges *blocked*, the backend's clock *dead*.
 */
export function createLeases(backend: Backend, consumer: Consumer, options: LeaseOptions): Leases {
  const reports = new Map<string, { delivery: Delivery; progress: Body }>()
  const every = options.lease / 3
  let last = 0
  let soon: NodeJS.Timeout | undefined

  const heart: Ticker = ticker(
    async () => {
      const sent = [...reports.values()]
      reports.clear()
      last = performance.now()
      try {
        options.onRenewal(await consumer.renew(sent))
      } catch (error) {
        for (const report of sent)
          if (!reports.has(report.delivery.job.id)) reports.set(report.delivery.job.id, report)
        throw error
      }
      return every
    },
    { onError: options.onError },
  )
  const helper = startHelper(backend, options)
  const step = Math.min(1000, options.lease / 6)
  let movedAt = performance.now()
  const moving = setInterval(() => {
    const now = performance.now()
    if (now - movedAt > every + step) options.onBlocked(now - movedAt)
    movedAt = now
    helper?.move()
  }, step).unref()

  return {
    report(delivery, progress) {
      reports.set(delivery.job.id, { delivery, progress })
      soon ??= setTimeout(
        () => {
          soon = undefined
          heart.nudge()
        },
        Math.max(0, PROGRESS_EVERY - (performance.now() - last)),
      )
    },
    nudge: () => heart.nudge(),
    async stop() {
      clearTimeout(soon)
      clearInterval(moving)
      await Promise.all([heart.stop(), helper?.stop()])
    },
  }
}

/** The data that the helper thread starts with. */
export interface HelperData {
  readonly module: string
  readonly data: unknown
  readonly worker: string
  readonly lease: Millis
  readonly blockedAfter: Millis
  /** A counter that the main loop moves. */
  readonly moves: Int32Array
}

interface Helper {
  /** The main loop is alive. */
  move(): void
  stop(): Promise<void>
}

function startHelper(backend: Backend, options: LeaseOptions): Helper | undefined {
  if (!backend.pulse) return undefined
  const moves = new Int32Array(new SharedArrayBuffer(4))
  const workerData: HelperData = {
    ...backend.pulse,
    worker: options.worker,
    lease: options.lease,
    blockedAfter: options.blockedAfter,
    moves,
  }
  const thread = new Thread(new URL('./helper.js', import.meta.url), { workerData, execArgv: [] })
  thread.on('error', options.onError)
  thread.unref()
  return {
    move: () => void Atomics.add(moves, 0, 1),
    async stop() {
      thread.postMessage('stop')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => resolve(void thread.terminate()), 1_000)
        thread.once('exit', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
  }
}
