import { collector } from '../async/batcher.ts'
import { deadlines } from '../async/deadlines.ts'
import { compile } from '../core/compile.ts'
import type { Definition } from '../core/definition.ts'
import { type PartValue, partOf } from '../core/flow.ts'
import { checkId, invalid } from '../core/options.ts'
import { validate } from '../core/schema.ts'
import { checkJobOptions, type JobOptions, NONE } from '../core/settings.ts'
import { BackendError, UsageError } from '../errors.ts'
import type { Backend, Receipt, Submission } from '../port/index.ts'
import type { ClientConfig } from './config.ts'
import { newId } from './new-id.ts'

/** Options of one call to `enqueue`. On a flow they hold for all its steps; `delay` and `expires` for its start. */
export interface EnqueueOptions extends JobOptions {
  /** An id of your own, without `/` and `@`: the same one again is answered `duplicate`, and changes nothing. */
  readonly id?: string
}

/** What was accepted, and whether it is a flow's root or a job. */
export interface Accepted extends Receipt {
  readonly isFlow: boolean
}

export interface Producer {
  /** Check, compile and submit; resolves once the backend has accepted it. */
  enqueue(value: unknown, options?: EnqueueOptions): Promise<Accepted>
  /** The same for each; all are checked before any is submitted. */
  enqueueAll(values: readonly unknown[], options?: EnqueueOptions): Promise<Accepted[]>
  submit(submission: Submission): Promise<Accepted>
  /** What jobs of this process carry as `notify`. */
  readonly notify: string
}

const BATCH = { max: 1000, concurrent: 2 }

export function createProducer(backend: Backend, config: ClientConfig, notify: string): Producer {
  const send = collector<Submission, Receipt>((batch) => backend.submit(batch), BATCH)
  const limits = deadlines<(error: Error) => void>((reject) => reject(late(config.enqueueTimeout)))

  /** A submission, at once unless a schema takes its time. */
  function prepare(value: unknown, options: EnqueueOptions | undefined): Submission | Promise<Submission> {
    const part: PartValue = partOf(value)
    const call = options === undefined ? NONE : checkJobOptions(options, 'enqueue', ['id'])
    const id = options?.id
    let waits: Promise<unknown>[] | undefined
    const submission = compile(part, {
      id: id === undefined ? newId() : checkId(id),
      app: config.settings,
      call,
      payloadLimit: config.payloadLimit,
      notify,
      check({ name, input }: Definition, given) {
        if (!input) return
        const checked = inTask(name, () => validate(input, given))
        if (checked instanceof Promise) {
          waits ??= []
          waits.push(checked)
        }
      },
    })
    return waits ? Promise.all(waits).then(() => submission) : submission
  }

  function submit(submission: Submission): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      const limit = limits.add(performance.now() + config.enqueueTimeout, reject)
      send(
        submission,
        ({ id, status }) => {
          limits.remove(limit)
          resolve({ id, status, isFlow: submission.joins !== undefined })
        },
        (error) => {
          limits.remove(limit)
          reject(error)
        },
      )
    })
  }

  return {
    notify,
    submit,
    async enqueue(value, options) {
      const submission = prepare(value, options)
      return submit(submission instanceof Promise ? await submission : submission)
    },
    async enqueueAll(values, options) {
      if (options?.id !== undefined)
        throw invalid('id', 'given for one signature, not for an array', options.id)
      const prepared = await Promise.all(values.map((value, i) => named(i, () => prepare(value, options))))
      return Promise.all(prepared.map(submit))
    },
  }
}

/** An error of one of many says which. */
async function named<T>(index: number, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const path = error.path ? `[${index}].${error.path}` : `[${index}]`
    throw new UsageError(error.code, `[${index}]: ${error.message}`, { cause: error, path })
  }
}

function inTask<T>(task: string, work: () => T): T {
  const rename = (error: unknown): never => {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.code, `${task}: ${error.message}`, { cause: error, path: error.path })
  }
  try {
    const answer = work()
    return answer instanceof Promise ? (answer.catch(rename) as T) : answer
  } catch (error) {
    return rename(error)
  }
}

const late = (ms: number): BackendError =>
  new BackendError(
    'ENQUEUE_TIMEOUT',
    `The backend has not answered within ${ms} ms. The job may or may not have been accepted: to repeat the call is safe with an id of your own.`,
    { retryable: true },
  )
