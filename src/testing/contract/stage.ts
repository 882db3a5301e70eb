import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { type App, type ConnectOptions, connect } from '../../app.ts'
import type { Runnable } from '../../core/task.ts'
import type { Backend, Millis } from '../../port/index.ts'
import type { WorkerOptions } from '../../worker/config.ts'
import type { Worker } from '../../worker/worker.ts'
import type { Open } from '../conformance/stage.ts'
import { faulty, type Plan } from '../faulty.ts'

/** A fresh namespace, and what a test does with it. All that it opened is closed with it. */
export interface Stage extends AsyncDisposable {
  /** The process that enqueues. */
  readonly app: App
  /** What it is connected to. */
  readonly backend: Backend
  /** How long a wait may last before the test fails. */
  readonly patience: Millis
  /** What workers have logged. */
  readonly logs: readonly Log[]
  /** Another process on the same jobs; with a plan, over a bad network. */
  process(options?: ConnectOptions, plan?: Plan): Promise<App>
  /** A worker that runs, in a process of its own unless one is given. */
  worker(tasks: readonly Runnable[], options?: Partial<WorkerOptions>, on?: App): Promise<RunningWorker>
  /** Move the clock on, and let everybody see it. */
  advance(by: Millis): Promise<void>
  sweep(): Promise<void>
  /** Ask again and again, until the answer is yes. */
  until(what: string, answer: () => boolean | Promise<boolean>): Promise<void>
}

export interface RunningWorker extends Worker {
  /** What `run()` has returned. */
  readonly ended: Promise<void>
}

export interface Log {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** What a sentence of the contract is shown on. */
export type Sentence = (stage: Stage) => Promise<void>
/** Sentences by title. */
export type Subject = Readonly<Record<string, Sentence>>

/** So long that only the tests about leases see one end, whatever the clock is moved by. */
const LEASE = '1d'

let stages = 0

export async function openStage(open: Open, patience: Millis): Promise<Stage> {
  const namespace = `app-${process.pid}-${++stages}`
  const apps: App[] = []
  const workers: Worker[] = []
  const logs: Log[] = []
  let offset = 0
  let planned = false

  const level = (level: Log['level']) => (fields: object, message: string) => {
    logs.push({ level, fields: fields as Log['fields'], message })
  }
  const logger = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }

  async function join(options: ConnectOptions = {}, plan?: Plan): Promise<{ app: App; backend: Backend }> {
    const opened = await open(namespace)
    planned ||= plan !== undefined
    const backend = plan ? faulty(opened, plan) : opened
    const app = connect(backend, { logger, ...options })
    apps.push(app)
    return { app, backend }
  }
  const { app, backend } = await join()

  async function sweep() {
    for (let round = 0; round < 1000; round++) if ((await backend.sweep(1000)).moved === 0) return
    assert.fail('Expected the sweep to come to an end, but it still moves after 1,000 rounds.')
  }

  return {
    app,
    backend,
    patience,
    logs,
    process: async (options, plan) => (await join(options, plan)).app,
    async worker(tasks, options, on) {
      const home = on ?? (await join()).app
      const worker = home.worker({ tasks, signals: false, lease: LEASE, grace: 0, ...options })
      workers.push(worker)
      const ended = worker.run()
      // Who awaits `ended` hears of it; nobody has to.
      ended.catch(() => {})
      return { ...worker, ended }
    },
    async advance(by) {
      offset += by
      await backend.control.shiftClock(offset)
      await sweep()
    },
    sweep,
    async until(what, answer) {
      const deadline = performance.now() + patience
      while (!(await answer())) {
        assert.ok(performance.now() < deadline, `Expected ${what} within ${patience} ms.`)
        await setTimeout(2)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.stop({ grace: 0 })))
      for (const each of apps.reverse()) await each.close()
      const trouble = logs.find(({ message }) => message === 'backend error')
      if (!planned && trouble) assert.fail(`A worker had trouble: ${JSON.stringify(trouble.fields)}`)
    },
  }
}
