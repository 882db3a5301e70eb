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
  /** A cancel mark lies on these: tell their handlers. Their own success still counts. */
  cancel(deliveries: readonly Delivery[]): void
  /** These are another worker's by now: tell their handlers and forget them. */
  lose(deliveries: readonly Delivery[]): void
  /** Hand back what still runs, uncounted. */
  handBack(reason: Error): void
}

interface Handler {
  readonly definition: Definition
  readonly settings: Settings
  readonly policy: Policy
  readonly run: (input: never, context: Execution) => unknown
}

/** One delivery on its way through the worker. */
interface Run {
  readonly execution: Execution
  readonly handler: Handler
  readonly policy: Policy
  readonly begun: number
  readonly timeout: Millis | false
  limit: Deadline<Run> | undefined
}

/** start, read, validate, perform, record: the way of every delivery through a worker. */
export function createExecutor(options: ExecutorOptions): Executor {
  const running = new Set<Execution>()
  const limits = deadlines<Run>(late)
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
    running.add(execution)
    const handler = handlers.get(delivery.job.task)
    if (!handler) {
      return pass(execution, new Error(`this worker has no task "${delivery.job.task}"`), 'UNKNOWN_TASK')
    }
    let call: Call
    try {
      call = unpackCall(delivery.job.body)
    } catch (fault) {
      return pass(execution, fault, 'UNKNOWN_FORMAT')
    }
    execution.open(call)
    const run: Run = {
      execution,
      handler,
      policy: call.retry
        ? policyOf({ retry: layerRetry(handler.settings.retry, call.retry) })
        : handler.policy,
      begun: performance.now(),
      timeout: call.timeout ?? handler.settings.timeout ?? DEFAULTS.timeout,
      limit: undefined,
    }
    if (run.timeout !== false) run.limit = limits.add(run.begun + run.timeout, run)
    if (call.from === undefined) return validated(run, call.input)
    options.readInput(call).then(
      (input) => validated(run, input),
      (fault) => {
        if (fault instanceof BackendError) record(run, { kind: 'again', delay: 1000, counts: false })
        else if (fault instanceof UsageError) record(run, failed(describeFault(fault, 'INVALID_INPUT')))
        else threw(run, fault)
      },
    )
  }

  /** Not for this worker: another may know it. */
  function pass(execution: Execution, fault: unknown, code: 'UNKNOWN_TASK' | 'UNKNOWN_FORMAT'): void {
    const { delivery } = execution
    leave(execution)
    const end = notMine(delivery, describeFailure(fault, code), options.unknownTaskAfter)
    options.onEnd({ delivery, ran: 0, end }, execution)
  }

  function validated(run: Run, input: unknown): void {
    const { input: schema } = run.handler.definition
    if (!schema) return perform(run, input)
    const good = (parsed: unknown) => perform(run, parsed)
    // What a schema itself throws, such as a look-up that failed, says nothing about the input.
    const bad = (fault: unknown) =>
      fault instanceof UsageError
        ? record(run, failed(describeFault(fault, 'INVALID_INPUT')))
        : threw(run, fault)
    checked(schema, input, 'input', good, bad)
  }

  function perform(run: Run, input: unknown): void {
    const { execution, handler } = run
    // To read or check the input may have taken so long that the job is no longer ours.
    if (execution.over) return
    if (execution.cancelling) return threw(run, execution.signal.reason)
    const good = (output: unknown) => returned(run, output)
    const bad = (thrown: unknown) => threw(run, thrown)
    try {
      then(handler.run(input as never, execution), good, bad)
    } catch (thrown) {
      threw(run, thrown)
    }
  }

  function returned(run: Run, output: unknown): void {
    if (run.execution.over) return
    const { output: schema } = run.handler.definition
    if (!schema) return store(run, output)
    const good = (parsed: unknown) => store(run, parsed)
    const bad = (fault: unknown) => record(run, failed(describeFault(fault, 'INVALID_OUTPUT')))
    checked(schema, output, 'output', good, bad)
  }

  function store(run: Run, output: unknown): void {
    let end: End
    try {
      end = succeeded(packValue(output, 'output', options.payloadLimit))
    } catch (fault) {
      end = failed(describeFault(fault, 'INVALID_OUTPUT'))
    }
    record(run, end)
  }

  function late(run: Run): void {
    const error = new Error(`took longer than its timeout of ${run.timeout} ms`)
    error.name = 'TimeoutError'
    run.execution.abort(error)
    threw(run, error, 'TIMEOUT')
  }

  function threw(run: Run, thrown: unknown, code: 'TASK_FAILED' | 'TIMEOUT' = 'TASK_FAILED'): void {
    const { execution, policy } = run
    if (execution.over) return
    if (execution.cancelling) record(run, cancelled(describeFailure(thrown)))
    else record(run, afterThrow(execution.delivery, thrown, code, policy))
  }

  /** What comes first counts: of a handler that goes on after its timeout, nothing is heard. */
  function record(run: Run, end: End): void {
    const { execution, begun, limit } = run
    if (execution.over) return
    leave(execution)
    if (limit) limits.remove(limit)
    options.onEnd({ delivery: execution.delivery, ran: performance.now() - begun, end }, execution)
  }

  function leave(execution: Execution): void {
    execution.over = true
    running.delete(execution)
  }

  function find(deliveries: readonly Delivery[]): Execution[] {
    const keyOf = ({ job, token }: Delivery) => `${token} ${job.id}`
    const wanted = new Set(deliveries.map(keyOf))
    return [...running].filter(({ delivery }) => wanted.has(keyOf(delivery)))
  }

  return {
    running,
    start,
    cancel(deliveries) {
      for (const execution of find(deliveries)) execution.cancel()
    },
    lose(deliveries) {
      for (const execution of find(deliveries)) {
        leave(execution)
        execution.abort(new Error('this worker lost its lease; the job is run elsewhere'))
      }
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

/** Validate; at once when the schema answers at once. */
function checked(
  schema: NonNullable<Definition['input']>,
  value: unknown,
  where: 'input' | 'output',
  good: (value: unknown) => void,
  bad: (fault: unknown) => void,
): void {
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
