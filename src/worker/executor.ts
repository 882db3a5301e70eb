import { type Deadline, deadlines } from '../async/deadlines.ts'
import { type Call, packValue, unpackCall } from '../core/body.ts'
import { describeFailure, describeFault } from '../core/failure.ts'
import { afterThrow, cancelled, failed, notMine, type Policy, succeeded } from '../core/outcome.ts'
import { compileRetry, layerRetry } from '../core/retry.ts'
import { validate } from '../core/schema.ts'
import { DEFAULTS, layer, type Settings } from '../core/settings.ts'
import type { Definition, Logger } from '../core/task.ts'
import { BackendError, UsageError } from '../errors.ts'
import type { Body, Delivery, End, Millis, Outcome } from '../port/index.ts'
import { Execution } from './execution.ts'
import { compose, type Middleware } from './middleware.ts'

export interface ExecutorOptions {
  readonly tasks: readonly Definition[]
  readonly middleware: readonly Middleware[]
  /** What tasks leave unset. */
  readonly settings: Settings
  readonly logger: Logger
  readonly unknownTaskAfter: Millis
  readonly giveUpAfter: Millis
  readonly payloadLimit: number
  /** The input of a flow's step, from the joins that hold it. */
  readonly readInput: (call: Call) => Promise<unknown>
  readonly onProgress: (delivery: Delivery, progress: Body) => void
  /** The place is free, and there is an outcome to write. */
  readonly onEnd: (outcome: Outcome, execution: Execution) => void
}

export interface Executor {
  readonly running: ReadonlySet<Execution>
  /** Run one delivery. Never throws; whatever happens, `onEnd` hears of it once. */
  start(delivery: Delivery): void
  /** A cancel mark lies on it: tell the handler. Its own success still counts. */
  cancel(delivery: Delivery): void
  /** It is another worker's by now: tell the handler and forget it. */
  lose(delivery: Delivery): void
  /** Hand back what still runs, uncounted. */
  handBack(reason: Error): void
}

interface Handler {
  readonly definition: Definition
  readonly settings: Settings
  readonly policy: Policy
  readonly run: (input: never, context: Execution) => unknown
}

/** start, read, validate, perform, record: the way of every delivery through a worker. */
export function createExecutor(options: ExecutorOptions): Executor {
  const running = new Set<Execution>()
  const byDelivery = new Map<string, Execution>()
  const limits = deadlines()
  const handlers = new Map(options.tasks.map((task) => [task.name, prepare(task)]))
  const surroundings = {
    logger: options.logger,
    progressed: (execution: Execution, progress: Body) => options.onProgress(execution.delivery, progress),
  }

  function prepare(definition: Definition): Handler {
    const settings = layer(options.settings, definition.settings)
    return {
      definition,
      settings,
      policy: policyOf(settings),
      run: compose(options.middleware, definition.run!) as Handler['run'],
    }
  }

  function policyOf(settings: Settings): Policy {
    return {
      retry: compileRetry(settings.retry ?? DEFAULTS.retry),
      giveUpAfter: options.giveUpAfter,
      random: Math.random,
      report: (fault) =>
        options.logger.warn({ error: describeFailure(fault) }, 'retryIf or backoff failed; retrying anyway'),
    }
  }

  function start(delivery: Delivery): void {
    const execution = new Execution(delivery, surroundings)
    const begun = performance.now()
    let limit: Deadline | undefined
    running.add(execution)
    byDelivery.set(delivery.job.id, execution)

    function record(end: End): void {
      if (execution.over) return
      leave(execution)
      if (limit) limits.remove(limit)
      options.onEnd({ delivery, ran: performance.now() - begun, end }, execution)
    }

    const handler = handlers.get(delivery.job.task)
    if (!handler) {
      const message = `this worker has no task "${delivery.job.task}"`
      return record(
        notMine(delivery, describeFailure(new Error(message), 'UNKNOWN_TASK'), options.unknownTaskAfter),
      )
    }
    let call: Call
    try {
      call = unpackCall(delivery.job.body)
    } catch (fault) {
      return record(notMine(delivery, describeFailure(fault, 'UNKNOWN_FORMAT'), options.unknownTaskAfter))
    }
    execution.open(call)
    const { definition } = handler
    const policy = call.retry
      ? policyOf({ retry: layerRetry(handler.settings.retry, call.retry) })
      : handler.policy
    const timeout = call.timeout ?? handler.settings.timeout ?? DEFAULTS.timeout
    if (timeout !== false) {
      limit = limits.add(timeout, () => {
        const late = new Error(`took longer than its timeout of ${timeout} ms`)
        late.name = 'TimeoutError'
        execution.abort(late)
        threw(late, 'TIMEOUT')
      })
    }

    function threw(thrown: unknown, code: 'TASK_FAILED' | 'TIMEOUT' = 'TASK_FAILED'): void {
      if (execution.cancelling) record(cancelled(describeFailure(thrown)))
      else record(afterThrow(delivery, thrown, code, policy))
    }

    function perform(input: unknown): void {
      // To read or check the input may have taken so long that the job is no longer ours.
      if (execution.over) return
      try {
        then(handler!.run(input as never, execution), returned, threw)
      } catch (thrown) {
        threw(thrown)
      }
    }

    function returned(output: unknown): void {
      if (execution.over) return
      const wrong = (fault: unknown) => record(failed(describeFault(fault, 'INVALID_OUTPUT')))
      const store = (value: unknown) => {
        try {
          record(succeeded(packValue(value, 'output', options.payloadLimit)))
        } catch (fault) {
          wrong(fault)
        }
      }
      checked(definition.output, output, 'output', store, wrong)
    }

    // What a schema itself throws, such as a look-up that failed, says nothing about the input.
    const refuse = (fault: unknown) =>
      fault instanceof UsageError ? record(failed(describeFault(fault, 'INVALID_INPUT'))) : threw(fault)
    if (call.from === undefined) return checked(definition.input, call.input, 'input', perform, refuse)
    options.readInput(call).then(
      (input) => checked(definition.input, input, 'input', perform, refuse),
      (fault) => {
        if (fault instanceof BackendError) record({ kind: 'again', delay: 1000, counts: false })
        else threw(fault)
      },
    )
  }

  function leave(execution: Execution): void {
    execution.over = true
    running.delete(execution)
    if (byDelivery.get(execution.id) === execution) byDelivery.delete(execution.id)
  }

  const find = (delivery: Delivery): Execution | undefined => {
    const execution = byDelivery.get(delivery.job.id)
    return execution?.delivery.token === delivery.token ? execution : undefined
  }

  return {
    running,
    start,
    cancel(delivery) {
      find(delivery)?.cancel()
    },
    lose(delivery) {
      const execution = find(delivery)
      if (!execution) return
      leave(execution)
      execution.abort(new Error('this worker lost its lease; the job is run elsewhere'))
    },
    handBack(reason) {
      for (const execution of [...running]) {
        leave(execution)
        options.onEnd({ delivery: execution.delivery, ran: 0, end: { kind: 'back' } }, execution)
        execution.abort(reason)
      }
    },
  }
}

/** Validate, if there is a schema; at once when the schema answers at once. */
function checked(
  schema: Definition['input'],
  value: unknown,
  where: 'input' | 'output',
  good: (value: unknown) => void,
  bad: (fault: unknown) => void,
): void {
  if (!schema) return good(value)
  let result: unknown
  try {
    result = validate(schema, value, where)
  } catch (fault) {
    return bad(fault)
  }
  then(result, good, bad)
}

/** Continue now with a plain value, later with a promise's. */
function then(result: unknown, good: (value: unknown) => void, bad: (fault: unknown) => void): void {
  if (typeof (result as PromiseLike<unknown> | null)?.then === 'function') {
    ;(result as PromiseLike<unknown>).then(good, bad)
  } else good(result)
}
