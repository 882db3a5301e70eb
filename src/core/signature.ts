import { UsageError } from '../errors.ts'
import type { Definition } from './definition.ts'
import type { Failure } from './failure.ts'
import { kindOf } from './kind.ts'
import type { Single, Start, Step } from './part.ts'
import { checkJobOptions, type JobOptions, layer, type Settings } from './settings.ts'
import { show } from './show.ts'

/**
 * A task bound to its whole input: an immutable value that can be enqueued any number of times and stand in
 * any number of flows. The input itself is not copied: don't change it afterwards.
 */
export interface Signature<out O> extends Start<O>, Single, Handled<O> {
  /** The same, run so; over what it was given before, field by field. */
  options(options: JobOptions): this
  /** The same as a later step of a chain: it ignores what the previous step gives. */
  detached(): Signature<O> & Step<unknown, O>
}

/** A task bound to a part of its input, or to nothing yet; the previous step, or `with`, gives the rest. */
export interface OpenSignature<in out I, out O> extends Step<I, O>, Single, Handled<O> {
  /** The same, run so; over what it was given before, field by field. */
  options(options: JobOptions): this
  /** The same with more of its input. */
  readonly with: With<I, O>
}

/** What may follow a job or a flow, whatever became of the rest. */
export interface Handled<out O> {
  /**
   * When it fails for good, queue this as a job of its own, with the {@link Failure} as its input unless it
   * is complete. At most one; a second replaces the first.
   */
  onError(step: Single & (Start<unknown> | Step<Failure, unknown>)): this
  /** When it succeeds, queue this as a job of its own, with the result as its input unless it is complete. */
  onSuccess(step: Single & (Start<unknown> | Step<O, unknown>)): this
}

/** Binds the input: all of it gives a signature, some fields of an object give a step that needs the rest. */
export type With<I, O> =
  IsFields<I> extends true
    ? <B extends Fields<I>>(...input: Arguments<I, B & NoOther<B, I>>) => Bound<I, B, O>
    : (...input: Arguments<I, I>) => Signature<O>

/** Shown by the compiler in the place of a value whose field the task's input doesn't have. */
export interface NoSuchField<Name> {
  readonly "the task's input has no field": Name
}

type IsAny<T> = 0 extends 1 & T ? true : false
type IsFields<I> =
  IsAny<I> extends true
    ? false
    : [I] extends [readonly unknown[]]
      ? false
      : [I] extends [object]
        ? true
        : false
type Fields<I> = I extends unknown ? Partial<I> : never
type KeyOf<I> = I extends unknown ? keyof I : never
type Without<I, K extends PropertyKey> = I extends unknown ? { [F in keyof I as Exclude<F, K>]: I[F] } : never
type NoOther<B, I> = { readonly [K in Exclude<keyof B, KeyOf<I>>]: NoSuchField<K> }
type Arguments<I, B> = undefined extends I ? [input?: B] : [input: B]
/** The members of the union `I` that a value with the fields `B` can still become. */
type Match<I, B> = I extends unknown ? (B extends Partial<I> ? I : never) : never
type Bound<I, B, O, Rest = Without<Match<I, B>, keyof B>> = [keyof Rest] extends [never]
  ? Signature<O>
  : Record<never, never> extends Rest
    ? Signature<O> & OpenSignature<Rest, O>
    : OpenSignature<Rest, O>

/** A signature as it is at run time. */
export interface SignatureValue {
  readonly kind: 'signature'
  /** The task's name. */
  readonly task: string
  readonly definition: Definition
  /**
   * `nothing`: the previous value is the input. `fields`: an object; at the start of a flow, and with
   * `ignoresPrevious`, it is the input as it stands, else the input is `{ ...previous, ...input }`.
   * `whole`: the input, whatever comes before.
   */
  readonly bound: 'nothing' | 'fields' | 'whole'
  /** What was bound, unparsed. */
  readonly input: unknown
  /** By `.detached()`: what comes before is not read. */
  readonly ignoresPrevious: boolean
  readonly settings: Settings
  readonly whenFailed?: SignatureValue
  readonly whenSucceeded?: SignatureValue
}

/** A task with nothing bound: what a bare task in a flow stands for. */
export const bare = (definition: Definition): SignatureValue & typeof methods =>
  make(definition, 'nothing', undefined, false, {}, undefined, undefined)

/** A task with an input, or with some fields of one. */
export const bind = (definition: Definition, input: unknown): SignatureValue =>
  make(definition, isFields(input) ? 'fields' : 'whole', input, false, {}, undefined, undefined)

/** The signature as if `previous` had come before it: complete, by the rule of {@link SignatureValue.bound}. */
export function fill(signature: SignatureValue, previous: unknown): SignatureValue {
  const { bound, input, ignoresPrevious } = signature
  if (bound === 'whole' || ignoresPrevious) return signature
  if (bound === 'fields' && !isFields(previous)) {
    throw new UsageError(
      'INVALID_INPUT',
      `${signature.task} has some fields bound and needs an object with the rest, got ${show(previous)}.`,
      { path: 'input' },
    )
  }
  const all = bound === 'fields' ? { ...(previous as object), ...(input as object) } : previous
  return change(signature, { bound: isFields(all) ? 'fields' : 'whole', input: all })
}

/** The signature that a task or a signature stands for; `undefined` for anything else. */
export function signatureOf(value: unknown): SignatureValue | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  if (value.kind === 'signature' && 'definition' in value) return value as SignatureValue
  return value.kind === 'task' ? bare(value as Definition) : undefined
}

/** @throws UsageError INVALID_OPTION when it is neither a task nor a signature */
export function handlerOf(step: unknown, method: string): SignatureValue {
  const signature = signatureOf(step)
  if (signature) return signature
  const what = (step as { kind?: unknown } | null | undefined)?.kind ?? show(step)
  throw new UsageError('INVALID_OPTION', `Expected ${method} to be given a task or a signature, got ${what}.`)
}

const isFields = (input: unknown): input is object =>
  typeof input === 'object' && input !== null && kindOf(input) === 'object'

const methods = {
  with(this: SignatureValue, more?: unknown): SignatureValue {
    const both = this.bound === 'fields' && isFields(more)
    const input = both ? { ...(this.input as object), ...more } : more
    return change(this, { bound: isFields(input) ? 'fields' : 'whole', input })
  },
  options(this: SignatureValue, options: JobOptions): SignatureValue {
    const settings = checkJobOptions(options, `${this.task}.options`)
    return change(this, { settings: layer(this.settings, settings) })
  },
  detached(this: SignatureValue): SignatureValue {
    return change(this, { ignoresPrevious: true })
  },
  onError(this: SignatureValue, step: unknown): SignatureValue {
    return change(this, { whenFailed: handlerOf(step, 'onError') })
  },
  onSuccess(this: SignatureValue, step: unknown): SignatureValue {
    return change(this, { whenSucceeded: handlerOf(step, 'onSuccess') })
  },
}

const change = (old: SignatureValue, by: Partial<SignatureValue>): SignatureValue => {
  const all = { ...old, ...by }
  return make(
    all.definition,
    all.bound,
    all.input,
    all.ignoresPrevious,
    all.settings,
    all.whenFailed,
    all.whenSucceeded,
  )
}

/** The only place where one is made, so that all have one shape, which keeps the engine fast. */
function make(
  definition: Definition,
  bound: SignatureValue['bound'],
  input: unknown,
  ignoresPrevious: boolean,
  settings: Settings,
  whenFailed: SignatureValue | undefined,
  whenSucceeded: SignatureValue | undefined,
): SignatureValue & typeof methods {
  const signature = {
    __proto__: methods,
    kind: 'signature',
    task: definition.name,
    definition,
    bound,
    input,
    ignoresPrevious,
    settings,
    ...(whenFailed && { whenFailed }),
    ...(whenSucceeded && { whenSucceeded }),
  } as const
  return Object.freeze(signature as typeof signature & typeof methods)
}
