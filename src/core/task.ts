import type { StandardSchemaV1 as Schema } from '@standard-schema/spec'
import type { Context, Definition } from './definition.ts'
import type { Failure } from './failure.ts'
import { checkName, checkOptions, invalid } from './options.ts'
import type { Link, Part, Single, Step } from './part.ts'
import { checkSchema } from './schema.ts'
import { checkRunOptions, type JobOptions, RUN_OPTIONS, type RunOptions } from './settings.ts'
import { bare, bind, type Handled, type OpenSignature, type SignatureValue, type With } from './signature.ts'

export type { Context, Definition, Logger } from './definition.ts'

/** The options of a task: schemas, and how its jobs are run unless a call says otherwise. */
export interface TaskOptions extends RunOptions {
  /** Any Standard Schema (Zod, Valibot, ArkType): checked at the call and again before the handler. */
  readonly input?: Schema
  /** Checked after the handler; the parsed value is the result. */
  readonly output?: Schema
}

/** A named, typed function definition, without its function: all that a producer needs. */
export interface Contract<in out I, in out P, out O, in out R> extends Callable<I, O> {
  /** The same task with its function, for a worker. */
  handle(run: (input: P, context: Context) => R | Promise<R>): Task<I, P, O>
}

/** A named, typed function definition. `I` is its input as given, `P` as parsed, `O` its result. */
export interface Task<in out I, in P, out O> extends Callable<I, O> {
  readonly run: (input: P, context: Context) => unknown
}

/** What a worker asks of a task. */
export interface Runnable {
  readonly name: string
  readonly run: (input: never, context: Context) => unknown
}

interface Callable<in out I, out O> extends Step<I, O>, Single {
  readonly name: string
  /** Bind the input, or some fields of it. */
  readonly with: With<I, O>
  /** As a step that is run so. */
  options(options: JobOptions): OpenSignature<I, O>
  /** As a step that is followed by this when it fails for good. See {@link Handled}. */
  onError<H extends Single & Part>(step: H & Link<H, Failure>): OpenSignature<I, O>
  /** As a step that is followed by this when it succeeds. See {@link Handled}. */
  onSuccess<H extends Single & Part>(step: H & Link<H, O>): OpenSignature<I, O>
}

type InputOf<I> = I extends Schema ? Schema.InferInput<I> : unknown
type ParsedOf<I> = I extends Schema ? Schema.InferOutput<I> : unknown

/**
 * Define a task. Nothing runs: the value is a name that producers call and that a worker is given.
 *
 * @param name - unique among the tasks of a worker; it is what is stored, so don't change it lightly
 * @param options - see {@link TaskOptions}; left out, the handler's parameter says the input's type
 * @param run - the handler; left out, it is a contract, and a worker adds `.handle(run)`
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 *
 * @example
 * const thumbnail = task('image.thumbnail', {
 *   input: z.object({ key: z.string(), width: z.number().default(320) }),
 *   retry: { attempts: 5, from: '1s', to: '5m' },
 *   timeout: '30s',
 * }, async ({ key, width }, { signal }) => resize(key, width, { signal }))
 */
export function task<I, O>(name: string, run: (input: I, context: Context) => O): Task<I, I, Awaited<O>>
export function task<I extends Schema, T extends Schema>(
  name: string,
  options: TaskOptions & { readonly input: I; readonly output: T },
  run: (
    input: Schema.InferOutput<I>,
    context: Context,
  ) => Schema.InferInput<T> | Promise<Schema.InferInput<T>>,
): Task<Schema.InferInput<I>, Schema.InferOutput<I>, Schema.InferOutput<T>>
export function task<I extends Schema, O>(
  name: string,
  options: TaskOptions & { readonly input: I; readonly output?: undefined },
  run: (input: Schema.InferOutput<I>, context: Context) => O,
): Task<Schema.InferInput<I>, Schema.InferOutput<I>, Awaited<O>>
export function task<I, T extends Schema>(
  name: string,
  options: TaskOptions & { readonly input?: undefined; readonly output: T },
  run: (input: I, context: Context) => Schema.InferInput<T> | Promise<Schema.InferInput<T>>,
): Task<I, I, Schema.InferOutput<T>>
export function task<I, O>(
  name: string,
  options: TaskOptions & { readonly input?: undefined; readonly output?: undefined },
  run: (input: I, context: Context) => O,
): Task<I, I, Awaited<O>>
export function task<I extends Schema | undefined = undefined, T extends Schema | undefined = undefined>(
  name: string,
  options: TaskOptions & { readonly input?: I; readonly output?: T },
): Contract<InputOf<I>, ParsedOf<I>, ParsedOf<T>, InputOf<T>>
export function task(name: string, ...rest: readonly unknown[]): unknown {
  checkName(name, "the task's name")
  const [options, run, more] = typeof rest[0] === 'function' ? [{}, ...rest] : rest
  if (more !== undefined) {
    throw invalid(
      `task("${name}", …)`,
      'given its options before the handler: task(name, options, run)',
      rest.at(-1),
    )
  }
  if (rest.length > 1 || typeof rest[0] === 'function') checkRun(run, name)
  const where = `task "${name}"`
  checkOptions(options, [...RUN_OPTIONS, 'input', 'output'], where)
  const { input, output } = options as TaskOptions
  if (input !== undefined) checkSchema(input, `${where}: input`)
  if (output !== undefined) checkSchema(output, `${where}: output`)
  const settings = Object.freeze(checkRunOptions(options as TaskOptions))
  return make({
    kind: 'task',
    name,
    settings,
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(run !== undefined && { run: run as NonNullable<Definition['run']> }),
  })
}

/**
 * The definition behind a task, as a worker reads it.
 *
 * @throws UsageError INVALID_OPTION when it is no task; NO_HANDLER is the worker's to throw
 */
export function definitionOf(task: unknown): Definition {
  if (typeof task === 'object' && task !== null && (task as { kind?: unknown }).kind === 'task') {
    return task as Definition
  }
  throw invalid('a task', 'what task(...) returns', task)
}

const methods = {
  handle(this: Definition, run: unknown): Definition {
    checkRun(run, this.name)
    return make({ ...this, run: run as NonNullable<Definition['run']> })
  },
  with(this: Definition, input?: unknown): SignatureValue {
    return bind(this, input)
  },
  options(this: Definition, options: JobOptions): SignatureValue {
    return bare(this).options(options)
  },
  onError(this: Definition, step: unknown): SignatureValue {
    return bare(this).onError(step)
  },
  onSuccess(this: Definition, step: unknown): SignatureValue {
    return bare(this).onSuccess(step)
  },
}

const make = (definition: Definition): Definition =>
  Object.freeze({ __proto__: methods, ...definition } as Definition)

function checkRun(run: unknown, name: string): void {
  if (typeof run !== 'function') throw invalid(`the handler of task "${name}"`, 'a function', run)
}
