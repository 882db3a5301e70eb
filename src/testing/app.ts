import { type App, type ConnectOptions, connect } from '../app.ts'
import { readInput } from '../client/client.ts'
import { PAYLOAD_LIMIT, unpackCall } from '../core/body.ts'
import { type Duration, millis } from '../core/duration.ts'
import { checkRunOptions } from '../core/settings.ts'
import type { Runnable } from '../core/task.ts'
import { memory } from '../drivers/memory/index.ts'
import type { Backend, Consumer, Delivery, Job, Millis, Outcome, Submission } from '../port/index.ts'
import { checkWorker } from '../worker/config.ts'
import { createExecutor, type Executor } from '../worker/executor.ts'
import { silent } from '../worker/logger.ts'
import type { Middleware } from '../worker/middleware.ts'
import { createScheduler, type Scheduler } from '../worker/scheduler.ts'

/** What {@link testApp} is set up with; the rest as for `connect`. */
export interface TestAppOptions extends ConnectOptions {
  /** The tasks that {@link TestApp.drain} runs. Jobs of others go back, as in a worker that doesn't know them. */
  readonly tasks: readonly Runnable[]
  /** As a worker's. */
  readonly use?: readonly Middleware[]
}

/** A job that was accepted, as it was asked for. */
export interface Enqueued {
  readonly id: string
  readonly task: string
  /** As given; of a step that waits for another's result, the fields that were bound. */
  readonly input: unknown
  readonly queue: string
  readonly priority: number
  readonly headers: Readonly<Record<string, string>>
  /** In how long it was to run, if it was given a delay. */
  readonly delay?: Millis
  /** The flow that it is a step of. */
  readonly flow?: string
}

/** An app for tests: in memory, with its handlers run when the test says so, and a clock that the test moves. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  /**
   * Run what is due, one job after another, until nothing is; handlers may enqueue more. Only this runs
   * anything: await a result after it. Retries and delayed jobs stay for {@link TestApp.advance}.
   *
   * @returns how many deliveries ran
   */
  drain(): Promise<number>
  /**
   * Move the clock on, from one due time to the next, with a {@link TestApp.drain} at each.
   *
   * @returns how many deliveries ran
   */
  advance(by: Duration): Promise<number>
  /** What was accepted so far, in order; of one task, if given. */
  enqueued(task?: { readonly name: string }): Enqueued[]
  close(): Promise<void>
}

const WORKER = 'testApp'

/**
 * @example
 * await using test = testApp({ tasks: [thumbnail] })
 * const job = await test.app.enqueue(thumbnail.with({ key: 'cat.jpg' }), { delay: '5m' })
 * assert.equal(await test.advance('5m'), 1)
 * assert.deepEqual(await job.result(), { key: 'cat.jpg', width: 320 })
 */
export function testApp(options: TestAppOptions): TestApp {
  const { tasks, use = [], ...connecting } = options
  const config = checkWorker(
    { tasks, use, concurrency: 1 },
    {
      settings: checkRunOptions(connecting),
      payloadLimit: connecting.payloadLimit ?? PAYLOAD_LIMIT,
      logger: silent,
    },
  )
  const submitted: Submission[] = []
  const backend = recording(memory(), submitted)
  const app = connect(backend, { logger: false, ...connecting })
  let offset: Millis = 0
  let draining: Promise<number> = Promise.resolve(0)

  const scheduler = createScheduler(backend, silent)

  async function drain(): Promise<number> {
    await settle(backend, scheduler)
    const queues = new Set(submitted.flatMap(jobsOf).map(({ queue }) => queue))
    if (queues.size === 0) return 0
    await using consumer = await backend.consume({
      worker: WORKER,
      queues: [...queues].map((name) => ({ name, weight: 1 })),
      capacity: 1,
      lease: config.lease,
    })
    const ends: ((outcome: Outcome) => void)[] = []
    const executor = createExecutor({
      ...config,
      readInput: (call) => readInput(backend, call),
      onProgress: (delivery, progress) => void consumer.renew([{ delivery, progress }]),
      onEnd: (outcome) => ends.pop()!(outcome),
    })
    // A cancel reaches the handler that runs, as it would in a worker.
    const watching = new AbortController()
    const watcher = watch(backend, watching.signal, async () => {
      const { cancel } = await consumer.renew([])
      executor.cancel(cancel)
    })
    let ran = 0
    for (;;) {
      await settle(backend, scheduler)
      const next = await take(consumer)
      if (!next) break
      await consumer.finish([await run(executor, ends, next)])
      ran++
    }
    watching.abort()
    await watcher
    return ran
  }

  /** One at a time, so that a test sees the same order every time. */
  function drainInTurn(): Promise<number> {
    draining = draining.catch(() => 0).then(drain)
    return draining
  }

  return {
    app,
    drain: drainInTurn,
    async advance(by) {
      let left = millis(by, 'by')
      let ran = 0
      for (;;) {
        ran += await drainInTurn()
        const { nextDue } = await backend.sweep(1000)
        const step = Math.min(left, Math.max(nextDue ?? left, 1))
        if (step === 0) return ran
        left -= step
        offset += step
        await backend.control.shiftClock(offset)
      }
    },
    enqueued: (task) =>
      submitted
        .flatMap(jobsOf)
        .filter((job) => !task || job.task === task.name)
        .map(toEnqueued),
    close: () => app.close(),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

async function watch(backend: Backend, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  for await (const _ of backend.events({ worker: WORKER }, signal)) await look()
}

/** Make what is due waiting, schedules first. */
async function settle(backend: Backend, scheduler: Scheduler): Promise<void> {
  for (;;) {
    const { schedules, now } = await backend.sweep(1000)
    if (schedules.length === 0 || (await scheduler.fire(schedules, now)) === 0) return
  }
}

/** The next job that may run now, if there is one. */
async function take(consumer: Consumer): Promise<Delivery | undefined> {
  const soon = new AbortController()
  const taken = consumer.take(1, soon.signal)
  setImmediate(() => soon.abort())
  return (await taken)[0]
}

const run = (
  executor: Executor,
  ends: ((outcome: Outcome) => void)[],
  delivery: Delivery,
): Promise<Outcome> =>
  new Promise((resolve) => {
    ends.push(resolve)
    executor.start(delivery)
  })

function recording(backend: Backend, submitted: Submission[]): Backend {
  return {
    ...backend,
    async submit(batch) {
      const receipts = await backend.submit(batch)
      for (const [i, { status }] of receipts.entries()) if (status === 'accepted') submitted.push(batch[i]!)
      return receipts
    },
    schedules: {
      ...backend.schedules,
      async change(changes) {
        const answers = await backend.schedules.change(changes)
        for (const [i, { firing }] of changes.entries()) {
          if (firing && answers[i] === 'applied') submitted.push(firing)
        }
        return answers
      },
    },
  }
}

/** All jobs of a submission, also those that a flow reaches later. */
const jobsOf = ({ jobs, joins = [] }: Submission): Job[] => [
  ...jobs,
  ...joins.flatMap(({ release }) => release?.jobs ?? []),
]

function toEnqueued({ id, task, queue, priority, body, due: at, flow }: Job): Enqueued {
  const { input, headers = {} } = unpackCall(body)
  return {
    id,
    task,
    input,
    queue,
    priority,
    headers,
    ...(at && 'in' in at && { delay: at.in }),
    ...(flow !== undefined && { flow }),
  }
}
