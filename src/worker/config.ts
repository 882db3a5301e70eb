import { type Duration, millis } from '../core/duration.ts'
import { checkBoolean, checkName, checkOptions, invalid } from '../core/options.ts'
import type { DefinitionValue, ScheduleDefinition } from '../core/schedule-options.ts'
import type { Settings } from '../core/settings.ts'
import type { Definition, Logger, Runnable } from '../core/task.ts'
import { UsageError } from '../errors.ts'
import type { Millis } from '../port/index.ts'
import type { Middleware } from './middleware.ts'
import type { WorkerConfig } from './worker.ts'

/** What a worker serves, and how. */
export interface WorkerOptions {
  /** The tasks that it can run. */
  readonly tasks: readonly Runnable[]
  /**
   * The queues that it takes from: names, or names with weights, by which its places are shared.
   * @defaultValue `default` and the queues that its tasks name
   */
  readonly queues?: readonly string[] | Readonly<Record<string, number>>
  /** Jobs that run at once. @defaultValue 10 */
  readonly concurrency?: number
  /** After a signal to stop, what still runs may take so long to end; then it is handed back. @defaultValue '25s' */
  readonly grace?: Duration
  /** Stored when the worker starts, unless they are already: see `schedule()`. Any worker fires any schedule. */
  readonly schedules?: readonly ScheduleDefinition[]
  /**
   * Remove stored schedules that workers declared before and this one does not; otherwise they are told in the log.
   * @defaultValue false
   */
  readonly removeSchedules?: boolean
  /** Run around every handler, the first outermost. See {@link Middleware}. */
  readonly use?: readonly Middleware[]
  /** @defaultValue the app's */
  readonly logger?: Logger | false
  /** Stop on SIGTERM and SIGINT. @defaultValue true */
  readonly signals?: boolean
  /**
   * How long this worker's right to its jobs lasts without a heartbeat; there are three in that time. If the
   * process dies, its jobs run elsewhere within two leases. At most a day. @defaultValue '15s'
   */
  readonly lease?: Duration
  /** A handler may block the event loop so long before others take over. @defaultValue '2m' */
  readonly blockedAfter?: Duration
  /** A job of a task that no worker knows fails after this time. @defaultValue '1h' */
  readonly unknownTaskAfter?: Duration
  /** A job that throws `RetryLater` for longer than this fails. @defaultValue '7d' */
  readonly giveUpAfter?: Duration
}

const WORKER_OPTIONS = [
  'tasks',
  'queues',
  'concurrency',
  'grace',
  'schedules',
  'removeSchedules',
  'use',
  'logger',
  'signals',
  'lease',
  'blockedAfter',
  'unknownTaskAfter',
  'giveUpAfter',
]

/** What the app adds to a worker's options. */
export interface WorkerSetting {
  readonly settings: Settings
  readonly payloadLimit: number
  readonly logger: Logger
}

/** What {@link WorkerOptions} come to. */
export interface CheckedConfig extends Omit<WorkerConfig, 'readInput' | 'reconcile'> {
  readonly schedules: readonly DefinitionValue[]
  readonly removeSchedules: boolean
}

function length(
  value: Duration | undefined,
  otherwise: Millis,
  name: string,
  least = 0,
  most = Number.POSITIVE_INFINITY,
): Millis {
  const ms = value === undefined ? otherwise : millis(value, name)
  if (ms < least || ms > most) throw invalid(name, `from ${least} to ${most} ms long`, value)
  return ms
}

/**
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION, NO_HANDLER, DUPLICATE_TASK
 */
export function checkWorker(options: WorkerOptions, app: WorkerSetting): CheckedConfig {
  checkOptions(options, WORKER_OPTIONS, 'app.worker()')
  const tasks = checkTasks(options.tasks)
  const { concurrency = 10, use = [], signals = true, schedules = [], removeSchedules = false } = options
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 10_000) {
    throw invalid('concurrency', 'a whole number from 1 to 10000', concurrency)
  }
  if (!Array.isArray(use) || use.some((each) => typeof each !== 'function')) {
    throw invalid('use', 'an array of functions', use)
  }
  return {
    tasks,
    queues: checkQueues(options.queues, tasks),
    concurrency,
    grace: length(options.grace, 25_000, 'grace'),
    // A shorter one would be lost to a garbage collection or a slow disk; timers take no much longer one.
    lease: length(options.lease, 15_000, 'lease', 500, 86_400_000),
    blockedAfter: length(options.blockedAfter, 120_000, 'blockedAfter'),
    unknownTaskAfter: length(options.unknownTaskAfter, 3_600_000, 'unknownTaskAfter'),
    giveUpAfter: length(options.giveUpAfter, 604_800_000, 'giveUpAfter'),
    payloadLimit: app.payloadLimit,
    schedules: checkSchedules(schedules),
    removeSchedules: checkBoolean(removeSchedules, 'removeSchedules'),
    middleware: use,
    settings: app.settings,
    logger: app.logger,
    signals,
  }
}

function checkTasks(tasks: readonly Runnable[]): Definition[] {
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw invalid('tasks', 'an array of tasks, such as [thumbnail, notify]', tasks)
  }
  const names = new Set<string>()
  return (tasks as readonly (Runnable & Definition)[]).map((task, i) => {
    if (task?.kind !== 'task') throw invalid(`tasks[${i}]`, 'made by task()', task)
    if (typeof task.run !== 'function') {
      throw new UsageError(
        'NO_HANDLER',
        `Task "${task.name}" is a contract without a handler. Pass what its .handle(fn) returns.`,
      )
    }
    if (names.has(task.name)) {
      throw new UsageError(
        'DUPLICATE_TASK',
        `Two tasks are named "${task.name}". Names are how jobs find their handler: rename one.`,
      )
    }
    names.add(task.name)
    return task
  })
}

function checkSchedules(schedules: readonly ScheduleDefinition[]): DefinitionValue[] {
  if (!Array.isArray(schedules)) throw invalid('schedules', 'an array of what schedule() makes', schedules)
  const names = new Set<string>()
  return (schedules as readonly (ScheduleDefinition & DefinitionValue)[]).map((each, i) => {
    if (each?.kind !== 'schedule') throw invalid(`schedules[${i}]`, 'made by schedule()', each)
    if (names.has(each.name)) throw invalid(`schedules[${i}]`, 'named unlike the others', each.name)
    names.add(each.name)
    return each
  })
}

function checkQueues(queues: WorkerOptions['queues'], tasks: readonly Definition[]): CheckedConfig['queues'] {
  if (queues === undefined) {
    const named = tasks.flatMap(({ settings }) => settings.queue ?? [])
    return [...new Set(['default', ...named])].map((name) => ({ name, weight: 1 }))
  }
  const weighted = Array.isArray(queues)
    ? [...new Set(queues as readonly string[])].map((name) => ({ name, weight: 1 }))
    : Object.entries(queues as Record<string, number>).map(([name, weight]) => ({ name, weight }))
  if (weighted.length === 0) throw invalid('queues', 'at least one queue', queues)
  for (const { name, weight } of weighted) {
    checkName(name, 'queue')
    if (!(weight > 0 && weight <= 1e6)) throw invalid(`queues.${name}`, 'a weight above 0', weight)
  }
  return weighted
}
