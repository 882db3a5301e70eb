import { createHash } from 'node:crypto'
import { collector } from '../async/batcher.ts'
import { deadlines } from '../async/deadlines.ts'
import { compile } from '../core/compile.ts'
import type { Definition } from '../core/definition.ts'
import { type PartValue, partOf } from '../core/flow.ts'
import { checkId, invalid } from '../core/options.ts'
import { validate } from '../core/schema.ts'
import { checkJobOptions, type JobOptions, NONE, type Settings } from '../core/settings.ts'
import { checkUnique, UNIQUE_OPTIONS, type UniqueCall, type Uniqueness, withKey } from '../core/unique.ts'
import { BackendError, UsageError } from '../errors.ts'
import { type Backend, idOf, type Receipt, type Submission } from '../port/index.ts'
import type { ClientConfig } from './config.ts'
import { newId } from './new-id.ts'

/** Options of one call to `enqueue`. On a flow they hold for all its steps; `delay` and `expires` for its start. */
export interface EnqueueOptions extends JobOptions, UniqueCall {
  /** An id of your own, without `/` and `@`: the same one again is answered `duplicate`, and changes nothing. */
  readonly id?: string
}

/** Options of one call to `enqueue` with an array; they hold for each of it. */
export interface EnqueueManyOptions extends Omit<EnqueueOptions, 'id'> {
  /** An id of your own for each, in order: those that are known are answered `duplicate`. */
  readonly ids?: readonly string[]
}

/** What was accepted, and whether it is a flow's root or a job. */
export interface Accepted extends Receipt {
  readonly isFlow: boolean
}

export interface Producer {
  /** Check, compile and submit; resolves once the backend has accepted it. */
  enqueue(value: unknown, options?: EnqueueOptions): Promise<Accepted>
  /** The same for each; all are checked before any is submitted. */
  enqueueAll(values: readonly unknown[], options?: EnqueueManyOptions): Promise<Accepted[]>
  submit(submission: Submission): Promise<Accepted>
  /** What jobs of this process carry as `notify`. */
  readonly notify: string
}

type Send = ReturnType<typeof collector<Submission, Receipt>>

const CALL_OPTIONS = ['id', ...UNIQUE_OPTIONS]
const BATCH = { max: 1000, concurrent: 2 }

export function createProducer(backend: Backend, config: ClientConfig, notify: string): Producer {
  const sends: Send[] = []
  const limits = deadlines<(error: Error) => void>((reject) => reject(late(config.enqueueTimeout)), true)

  /** What goes to one part of the backend does not wait for another. */
  function sendTo(part: number): Send {
    sends[part] ??= collector<Submission, Receipt>((batch) => backend.submit(batch), BATCH)
    return sends[part]
  }

  /** A backend of several parts refuses keys: they are not to take others with them. */
  function partFor(submission: Submission): number {
    const { parts } = backend
    if (!parts) return 0
    return submission.unique ? parts.count : parts.of(idOf(submission))
  }

  const settingsOf = (options: EnqueueOptions | undefined): Settings =>
    options === undefined ? NONE : checkJobOptions(options, 'enqueue', CALL_OPTIONS)

  /** An input in the place of the options is what other queues' users write first. */
  function optionsFor(value: unknown, options: EnqueueOptions | undefined): Settings {
    try {
      return settingsOf(options)
    } catch (error) {
      const part = partOf(value)
      const open = part.kind === 'signature' && part.bound === 'nothing'
      if (!(error instanceof UsageError) || !open || error.code === 'INVALID_ID') throw error
      const hint = `${error.message} An input is bound to its task: enqueue(${part.task}.with(input), options).`
      throw new UsageError(error.code, hint, { cause: error, path: error.path })
    }
  }

  /** A submission, at once unless a schema takes its time. */
  function prepare(
    value: unknown,
    call: Settings,
    id?: string,
    uniqueness?: Uniqueness,
  ): Submission | Promise<Submission> {
    const part: PartValue = partOf(value)
    let waits: Promise<unknown>[] | undefined
    const compiled = compile(part, {
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
    const submission = uniqueness ? withKey(compiled, uniqueness, digest) : compiled
    return waits ? Promise.all(waits).then(() => submission) : submission
  }

  function submit(submission: Submission): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      const limit = limits.add(performance.now() + config.enqueueTimeout, reject)
      sendTo(partFor(submission))(
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
      const call = optionsFor(value, options)
      const submission = prepare(value, call, options?.id, options && checkUnique(options))
      return submit(submission instanceof Promise ? await submission : submission)
    },
    async enqueueAll(values, given = {}) {
      const { ids, ...options } = given
      const one = (options as EnqueueOptions).id
      if (one !== undefined) throw invalid('id', 'given for one signature; an array takes ids', one)
      if (ids !== undefined && !(Array.isArray(ids) && ids.length === values.length)) {
        throw invalid('ids', `an array of ${values.length} ids`, ids)
      }
      const call = settingsOf(options)
      const uniqueness = checkUnique(options)
      // Unlike `map`, it sees the holes of an array, which are refused.
      const prepared = Array.from(values, (value, i) =>
        ofMany(i, () => prepare(value, call, ids?.[i], uniqueness)),
      )
      const waits = prepared.some((submission) => submission instanceof Promise)
      const submissions = waits ? await Promise.all(prepared) : (prepared as Submission[])
      return allOf(await Promise.allSettled(submissions.map(submit)))
    },
  }
}

/** They travel in pages, so that some may be accepted though the backend failed for others. */
function allOf(settled: readonly PromiseSettledResult<Accepted>[]): Accepted[] {
  const failed = settled.findIndex(({ status }) => status === 'rejected')
  if (failed < 0) return settled.map((each) => (each as PromiseFulfilledResult<Accepted>).value)
  const { reason } = settled[failed] as PromiseRejectedResult
  if (!(reason instanceof BackendError)) throw reason
  const count = settled.filter(({ status }) => status === 'fulfilled').length
  const some = `${count} of the ${settled.length} were accepted: to repeat the call is safe with ids of your own.`
  throw new BackendError(reason.code, `[${failed}]: ${reason.message}${count > 0 ? ` ${some}` : ''}`, {
    cause: reason,
    retryable: reason.retryable,
  })
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** An error of one of many says which. */
const ofMany = <T>(index: number, work: () => T): T =>
  retelling(work, (error) => {
    const path = error.path ? `[${index}].${error.path}` : `[${index}]`
    return new UsageError(error.code, `[${index}]: ${error.message}`, { cause: error, path })
  })

const inTask = <T>(task: string, work: () => T): T =>
  retelling(
    work,
    (error) => new UsageError(error.code, `${task}: ${error.message}`, { cause: error, path: error.path }),
  )

/** Do it, now or later, and put a wrong use of ours into other words. */
function retelling<T>(work: () => T, retell: (error: UsageError) => UsageError): T {
  const fail = (error: unknown): never => {
    throw error instanceof UsageError ? retell(error) : error
  }
  try {
    const answer = work()
    if (!(answer instanceof Promise)) return answer
    const told = answer.catch(fail)
    // Of many, another may fail first; then nobody waits for this one.
    told.catch(() => {})
    return told as T
  } catch (error) {
    return fail(error)
  }
}

const late = (ms: number): BackendError =>
  new BackendError(
    'ENQUEUE_TIMEOUT',
    `The backend has not answered within ${ms} ms. The job may or may not have been accepted: to repeat the call is safe with an id of your own.`,
    { retryable: true },
  )
