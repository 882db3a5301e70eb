import { UsageError } from '../errors.ts'
import { checkBoolean, checkOptions, invalid } from './options.ts'
import type {
  Fits,
  Fitting,
  FittingAll,
  InputOf,
  InputOfAll,
  OutputOf,
  OutputsOf,
  Part,
  Start,
  Step,
} from './part.ts'
import { show } from './show.ts'
import { fill, type Handled, handlerOf, type SignatureValue, signatureOf } from './signature.ts'

/**
 * What a flow is at run time: a tree of plain, frozen values. A bare task stands in it as a signature with
 * nothing bound. Nothing is flattened: an inner chain keeps its handlers.
 */
export type PartValue = SignatureValue | ChainValue | GroupValue

/** Flows within flows at the most: the ids of steps grow with the depth. */
export const MOST_DEPTH = 100

/** One after another; the value is the last one's. There is at least one step. */
export interface ChainValue extends FlowValue {
  readonly kind: 'chain'
  readonly steps: readonly PartValue[]
}

/** All at once; the value is the list of theirs, in this order. There may be none. */
export interface GroupValue extends FlowValue {
  readonly kind: 'group'
  readonly members: readonly PartValue[]
  /** It has failed with its first member, instead of when all have ended. */
  readonly failFast: boolean
  /** The first member that fails cancels the others. */
  readonly cancelSiblings: boolean
}

interface FlowValue {
  /** By `.detached()`: no first step of it reads what comes before. */
  readonly ignoresPrevious: boolean
  readonly whenFailed?: SignatureValue
  readonly whenSucceeded?: SignatureValue
}

/** A flow that can be enqueued: an immutable value, as a signature is. */
export interface Flow<out O> extends Start<O>, Handled<O> {
  /** The same as a later step of a chain: it ignores what the previous step gives. */
  detached(): Flow<O> & Step<unknown, O>
}

/** A flow whose first steps wait for their input; it can stand in other flows. */
export interface OpenFlow<in I, out O> extends Step<I, O>, Handled<O> {}

export interface GroupOptions {
  /** Fail with the first member, instead of when all have ended. @defaultValue false */
  readonly failFast?: boolean
  /** Cancel the other members when one fails. @defaultValue false */
  readonly cancelSiblings?: boolean
}

/** A chain begins as its first step does, and ends as its last. */
type ChainOf<S extends readonly unknown[]> = FlowOf<
  S[0],
  OutputOf<S extends readonly [...unknown[], infer Last] ? Last : S[number]>
>
type FlowOf<Head, O> = ([Head] extends [Start<unknown>] ? Flow<O> : unknown) &
  ([Head] extends [Step<never, unknown>] ? OpenFlow<InputOf<Head>, O> : unknown)

/** A group can start when all its members can; it waits for what all of them take. */
type GroupOf<M extends readonly unknown[]> = ([M[number]] extends [Start<unknown>]
  ? Flow<OutputsOf<M>>
  : unknown) &
  ([M[number]] extends [Step<never, unknown>] ? OpenFlow<InputOfAll<M>, OutputsOf<M>> : unknown)

/**
 * One step after another: each gets the result of the one before, as its input or as the rest of it. A
 * step after a group gets the list of the members' results (a chord). A final failure ends the chain.
 *
 * @throws UsageError EMPTY_CHAIN, INVALID_OPTION
 *
 * @example
 * await app.enqueue(chain(fetch.with({ url }), resize.with({ width: 200 }), publish))
 */
export function chain<S extends readonly [Part, ...Part[]]>(...steps: Fitting<S>): ChainOf<S> {
  if (steps.length === 0) throw new UsageError('EMPTY_CHAIN', 'Expected chain to be given a step, got none.')
  return make({
    kind: 'chain',
    steps: parts(steps, (i) => `step ${i + 1} of chain`),
    ignoresPrevious: false,
  }) as ChainOf<S>
}

/**
 * All members at once, in no order; the result is the list of theirs, in the order given. A member that
 * fails lets the others go on, and the group fails when all have ended, unless the options say otherwise.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 *
 * @example
 * const shots = group(keys.map((key) => thumbnail.with({ key })), { failFast: true })
 */
export function group<const M extends readonly Part[]>(
  members: M & FittingAll<M>,
  options: GroupOptions = {},
): GroupOf<M> {
  if (!Array.isArray(members)) {
    throw invalid('the members of group', 'one array: group([first, second])', members)
  }
  checkOptions(options, ['failFast', 'cancelSiblings'], 'group')
  const { failFast = false, cancelSiblings = false } = options
  return make({
    kind: 'group',
    members: parts(members, (i) => `member ${i} of group`),
    failFast: checkBoolean(failFast, 'failFast'),
    cancelSiblings: checkBoolean(cancelSiblings, 'cancelSiblings'),
    ignoresPrevious: false,
  }) as GroupOf<M>
}

/**
 * A group and a step that gets the list of its results: short for `chain(group(members, options), body)`.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export function chord<const M extends readonly Part[], B extends Part>(
  members: M & FittingAll<M>,
  body: B & Fits<[GroupOf<M>, B]>[1],
  options?: GroupOptions,
): ChainOf<[GroupOf<M>, B]> {
  return chain(group(members as never, options) as Part, body as never) as ChainOf<[GroupOf<M>, B]>
}

/**
 * The same step for each of many inputs, as a group.
 *
 * @example
 * await app.enqueue(chain(map(thumbnail, keys.map((key) => ({ key }))), album))
 */
export function map<I, O>(
  step: Step<I, O>,
  inputs: readonly NoInfer<I>[],
  options?: GroupOptions,
): Flow<O[]> {
  if (!Array.isArray(inputs)) throw invalid('the inputs of map', 'an array', inputs)
  const part = partOf(step, 'the step of map')
  // A hole in the array is an input that is undefined, not a member that is missing.
  const members = Array.from(inputs, (input) => given(part, input))
  return group(members as never, options) as unknown as Flow<O[]>
}

/**
 * A step that takes a list, for many inputs, `size` at a time: fewer and longer jobs than {@link map}. The
 * result is the list of what each chunk results in.
 *
 * @example
 * await app.enqueue(chunks(insertRows, rows, 500))
 */
export function chunks<I, O>(
  step: Step<I[], O>,
  inputs: readonly NoInfer<I>[],
  size: number,
  options?: GroupOptions,
): Flow<O[]> {
  if (!Array.isArray(inputs)) throw invalid('the inputs of chunks', 'an array', inputs)
  if (!Number.isInteger(size) || size < 1) throw invalid('the size of chunks', 'a whole number from 1', size)
  const lists = Array.from({ length: Math.ceil(inputs.length / size) }, (_, i) =>
    inputs.slice(i * size, (i + 1) * size),
  )
  return map(step, lists, options)
}

/**
 * The run-time value of anything that can stand in a flow.
 *
 * @throws UsageError INVALID_OPTION when it is no task, signature or flow
 */
export function partOf(value: unknown, name = 'what is enqueued'): PartValue {
  const signature = signatureOf(value)
  if (signature) return signature
  const flow = value as { kind?: unknown; steps?: unknown; members?: unknown } | null | undefined
  if (flow?.kind === 'chain' && Array.isArray(flow.steps)) return value as ChainValue
  if (flow?.kind === 'group' && Array.isArray(flow.members)) return value as GroupValue
  throw new UsageError(
    'INVALID_OPTION',
    `Expected ${name} to be a task, signature or flow, got ${show(value)}.`,
  )
}

/** `Array.from` sees the holes of an array, which `map` passes over: they are no parts, and are refused. */
const parts = (list: readonly unknown[], name: (index: number) => string): readonly PartValue[] =>
  Object.freeze(Array.from(list, (part, index) => partOf(part, name(index))))

/** The part with what a previous step would have given it. */
function given(part: PartValue, input: unknown, depth = 0): PartValue {
  // What is nested deeper is refused when it is enqueued; until then it must not take all of the stack.
  if (part.ignoresPrevious || depth > MOST_DEPTH) return part
  const inside = (inner: PartValue) => given(inner, input, depth + 1)
  switch (part.kind) {
    case 'chain':
      return make({ ...part, steps: Object.freeze([inside(part.steps[0]!), ...part.steps.slice(1)]) })
    case 'group':
      return make({ ...part, members: Object.freeze(part.members.map(inside)) })
    default:
      return fill(part, input)
  }
}

const methods = {
  detached(this: ChainValue | GroupValue): PartValue {
    return make({ ...this, ignoresPrevious: true })
  },
  onError(this: ChainValue | GroupValue, step: unknown): PartValue {
    return make({ ...this, whenFailed: handlerOf(step, 'onError') })
  },
  onSuccess(this: ChainValue | GroupValue, step: unknown): PartValue {
    return make({ ...this, whenSucceeded: handlerOf(step, 'onSuccess') })
  },
}

const make = (value: ChainValue | GroupValue): ChainValue | GroupValue =>
  Object.freeze({ __proto__: methods, ...value } as unknown as ChainValue | GroupValue)
