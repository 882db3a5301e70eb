import { relative } from 'node:path'
import {
  type Contract,
  type Logger,
  type ScheduleDefinition,
  type Task,
  task,
  UsageError,
  type WorkerOptions,
} from '../index.ts'
import { load } from './modules.ts'
import { hint } from './suggest.ts'

type AnyTask = Task<unknown, unknown, unknown>
type AnyContract = Contract<unknown, unknown, unknown, unknown>

type Value = AnyTask | AnyContract | ScheduleDefinition

/** What task files export. */
export interface Exported {
  readonly tasks: readonly AnyTask[]
  /** Those without a handler, which a worker can't run. */
  readonly contracts: readonly AnyContract[]
  readonly schedules: readonly ScheduleDefinition[]
}

/**
 * All tasks and schedules that the files export: by themselves, in arrays or in objects.
 *
 * @throws UsageError INVALID_OPTION when a file can't be loaded or exports no task
 */
export async function loadTasks(files: readonly string[]): Promise<Exported> {
  const found = new Set<Value>()
  for (const file of files) {
    const before = found.size
    for (const value of Object.values(await load(file, 'the tasks'))) collect(value, found, 1)
    if (found.size === before) {
      throw new UsageError(
        'INVALID_OPTION',
        `Expected ${short(file)} to export tasks, such as: export const add = task('add', ({ x, y }) => x + y)`,
      )
    }
  }
  const all = [...found].filter(isTask)
  return {
    tasks: all.filter((each): each is AnyTask => 'run' in each && typeof each.run === 'function'),
    contracts: all.filter((each): each is AnyContract => !('run' in each && typeof each.run === 'function')),
    schedules: [...found].filter(isSchedule),
  }
}

/** What a worker serves and stores; the logger is told of each contract without handler. */
export async function served(
  files: readonly string[],
  logger: Logger,
): Promise<Pick<WorkerOptions, 'tasks' | 'schedules'>> {
  if (files.length === 0) {
    throw new UsageError(
      'INVALID_OPTION',
      'A worker needs tasks: give --tasks ./tasks.ts, set MILLRACE_TASKS, or name them in millrace.config.ts.',
    )
  }
  const { tasks, contracts, schedules } = await loadTasks(files)
  const names = new Set(tasks.map(({ name }) => name))
  // `export const contract = task('a', {})` beside `export const a = contract.handle(…)` is served.
  const without = contracts.filter(({ name }) => !names.has(name))
  for (const { name } of without) {
    logger.warn(
      { task: name },
      'a contract without a handler is not served: export what its .handle(fn) gives',
    )
  }
  if (tasks.length > 0) return { tasks, schedules }
  throw new UsageError('NO_HANDLER', `No task with a handler is exported by ${files.map(short).join(', ')}.`)
}

/**
 * The task of that name, from the files.
 *
 * @throws UsageError INVALID_OPTION with the nearest name when there is none
 */
async function findTask(name: string, files: readonly string[]): Promise<AnyTask | AnyContract> {
  const { tasks, contracts } = await loadTasks(files)
  const all = [...tasks, ...contracts]
  const found = all.find((each) => each.name === name)
  if (found) return found
  const known = all.map((each) => each.name)
  throw new UsageError(
    'INVALID_OPTION',
    `No task ${JSON.stringify(name)} is exported by ${files.map(short).join(', ')}. ${hint(name, known)} To enqueue it unchecked, give --no-tasks.`,
  )
}

/** What binds an input, whatever the input is. */
export interface Named {
  with(input: unknown): unknown
}

/** The task of that name: from the files, if there are any, else one that takes anything. */
export const taskOf = async (name: string, files: readonly string[]): Promise<Named> =>
  (files.length > 0 ? await findTask(name, files) : task(name, {})) as Named

function collect(value: unknown, found: Set<Value>, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (isTask(value) || isSchedule(value)) found.add(value)
  else if (depth > 0) for (const item of Object.values(value)) collect(item, found, depth - 1)
}

/** By its look: it may come from another copy of this package. */
const isSchedule = (value: object): value is ScheduleDefinition =>
  'kind' in value && value.kind === 'schedule' && 'when' in value && 'part' in value

const isTask = (value: object): value is AnyTask | AnyContract =>
  'kind' in value &&
  value.kind === 'task' &&
  'name' in value &&
  typeof value.name === 'string' &&
  'with' in value &&
  typeof value.with === 'function'

const short = (file: string): string => relative(process.cwd(), file) || file
