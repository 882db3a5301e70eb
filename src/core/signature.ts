import { UsageError } from '../errors.ts'
import type { Definition } from './definition.ts'
import type { Failure } from './failure.ts'
import { kindOf } from './kind.ts'
import type { Link, Part, Single, Start, Step } from './part.ts'
import { checkJobOptions, type JobOptions, layer, NONE, type Settings } from './settings.ts'
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

/** What may follow a job or a flow: a task or a signature, which fits as the next step of a chain would. */
export interface Handled<out O> {
  /**
   * When it fails for good, queue this as a job of its own, whose previous value is the {@link Failure}. At
   * most one; a second replaces the first.
   */
  onError<H extends Single & Part>(step: H & Link<H, Failure>): this
  /** When it succeeds, queue this as a job of its own, whose previous value is the result. At most one. */
  onSuccess<H extends Single & Part>(step: H & Link<H, O>): this
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
export const bare = (definition: Definition): SignatureRecord =>
  new SignatureRecord({
    definition,
    bound: 'nothing',
    input: undefined,
    ignoresPrevious: false,
    settings: NONE,
  })

/** A task with an input, or with some fields of one. */
export const bind = (definition: Definition, input: unknown): SignatureRecord =>
  new SignatureRecord({ definition, ...bindingOf(input), ignoresPrevious: false, settings: NONE })

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
  return new SignatureRecord({ ...signature, ...bindingOf(all) })
}

/** The signature that a task or a signature stands for; `undefined` for anything else. */
export function signatureOf(value: unknown): SignatureValue | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  if (value.kind === 'signature' && 'definition' in value) return value as SignatureValue
  return value.kind === 'task' ? bare(value as Definition) : undefined
}

/** @throws UsageError INVALID_OPTION when it is neither a task nor a signature, or has handlers itself */
export function handlerOf(step: unknown, method: string): SignatureValue {
  const signature = signatureOf(step)
  if (signature?.whenFailed || signature?.whenSucceeded) {
    throw new UsageError('INVALID_OPTION', `The step given to ${method} may not have handlers of its own.`)
  }
  if (signature) return signature
  const what = (step as { kind?: unknown } | null | undefined)?.kind ?? show(step)
  throw new UsageError('INVALID_OPTION', `Expected ${method} to be given a task or a signature, got ${what}.`)
}

/** Whether fields of it may be bound apart: a plain object. */
export const isFields = (input: unknown): input is object =>
  typeof input === 'object' && input !== null && kindOf(input) === 'object'

const bindingOf = (input: unknown): Pick<SignatureValue, 'bound' | 'input'> => ({
  bound: isFields(input) ? 'fields' : 'whole',
  input,
})

/** A class for speed alone: a frozen literal with a prototype took fifteen times as long to make. */
class SignatureRecord implements SignatureValue {
  readonly kind = 'signature'
  readonly task: string
  readonly definition: Definition
  readonly bound: SignatureValue['bound']
  readonly input: unknown
  readonly ignoresPrevious: boolean
  readonly settings: Settings
  declare readonly whenFailed?: SignatureValue
  declare readonly whenSucceeded?: SignatureValue

  constructor(value: Omit<SignatureValue, 'kind' | 'task'>) {
    this.task = value.definition.name
    this.definition = value.definition
    this.bound = value.bound
    this.input = value.input
    this.ignoresPrevious = value.ignoresPrevious
    this.settings = value.settings
    if (value.whenFailed) this.whenFailed = value.whenFailed
    if (value.whenSucceeded) this.whenSucceeded = value.whenSucceeded
    Object.freeze(this)
  }

  with(more?: unknown): SignatureRecord {
    const both = this.bound === 'fields' && isFields(more)
    return new SignatureRecord({
      ...this,
      ...bindingOf(both ? { ...(this.input as object), ...more } : more),
    })
  }
  options(options: JobOptions): SignatureRecord {
    const settings = checkJobOptions(options, `${this.task}.options`)
    return new SignatureRecord({ ...this, settings: layer(this.settings, settings) })
  }
  detached(): SignatureRecord {
    return new SignatureRecord({ ...this, ignoresPrevious: true })
  }
  onError(step: unknown): SignatureRecord {
    return new SignatureRecord({ ...this, whenFailed: handlerOf(step, 'onError') })
  }
  onSuccess(step: unknown): SignatureRecord {
    return new SignatureRecord({ ...this, whenSucceeded: handlerOf(step, 'onSuccess') })
  }
}
