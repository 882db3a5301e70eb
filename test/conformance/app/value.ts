import fc from 'fast-check'
import { chain, type Flow, group } from '../../../src/core/flow.ts'
import type { Signature } from '../../../src/core/signature.ts'
import { task } from '../../../src/core/task.ts'

/** What a step does when it runs. */
export interface Fate {
  readonly kind: 'step'
  /** How it ends. */
  readonly end: 'ok' | 'fail' | 'discard'
  /** Attempts that fail before. */
  readonly flaky: number
  /** Whether it asks once to be run later. */
  readonly later: boolean
  /** Turns of the event loop that it takes. */
  readonly slow: number
}

interface Common {
  readonly onError: boolean
  readonly onSuccess: boolean
  readonly detached: boolean
}
interface Chain {
  readonly kind: 'chain'
  readonly parts: readonly Value[]
}
interface Group {
  readonly kind: 'group'
  readonly parts: readonly Value[]
  readonly failFast: boolean
  readonly cancelSiblings: boolean
}
/** A flow as data; its parts are known by their path, such as `0.2.1`. */
export type Value = Common & (Fate | Chain | Group)

const rarely = (weight: number) =>
  fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(false) }, { weight, arbitrary: fc.constant(true) })

const common = { onError: rarely(2), onSuccess: rarely(1), detached: rarely(1) }

/** Flows of a depth up to 4: chains of 1 to 3, groups of 0 to 3. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'max', withCrossShrink: true },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('step' as const),
        end: fc.oneof(
          { weight: 18, arbitrary: fc.constant('ok' as const) },
          { weight: 2, arbitrary: fc.constantFrom('fail' as const, 'discard' as const) },
        ),
        flaky: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat({ max: 2 })),
        later: rarely(1),
        slow: fc.nat({ max: 3 }),
        ...common,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('chain' as const),
        parts: fc.array(tie('value'), { minLength: 1, maxLength: 3, size: 'max' }),
        ...common,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('group' as const),
        parts: fc.array(tie('value'), { maxLength: 3, size: 'max' }),
        failFast: rarely(2),
        cancelSiblings: rarely(1),
        ...common,
      }),
    },
  ),
})).value

export const below = (path: string, index: number): string => (path === '' ? `${index}` : `${path}.${index}`)

/** What a step without a previous value is given: an object, so that what came before would show in it. */
const given = (path: string) => ({ start: path })

/** The tasks that the parts are built of: what they do is looked up by the id of their job. */
export const step = task<unknown, unknown>('step', () => undefined)
export const note = task<unknown, unknown>('note', () => undefined)

/** The flow value as a user composes it. Types are checked elsewhere: here parts are put together at random. */
export function build(value: Value, path = '', fed = false): Signature<unknown> | Flow<unknown> {
  const reads = fed && !value.detached
  let part = inner(value, path, reads)
  if (value.onError) part = part.onError(note)
  if (value.onSuccess) part = part.onSuccess(note)
  return fed && value.detached ? (part.detached() as Flow<unknown>) : part
}

function inner(value: Value, path: string, reads: boolean): Flow<unknown> {
  if (value.kind === 'step') {
    return (reads ? step.options({}) : step.with(given(path))) as unknown as Flow<unknown>
  }
  const parts = value.parts.map((part, i) =>
    build(part, below(path, i), reads || (value.kind === 'chain' && i > 0)),
  )
  if (value.kind === 'chain') return (chain as (...steps: unknown[]) => unknown)(...parts) as Flow<unknown>
  const { failFast, cancelSiblings } = value
  return group(parts as never, { failFast, cancelSiblings }) as unknown as Flow<unknown>
}

/** What a flow comes to. */
export interface Expected {
  readonly ok: boolean
  readonly value: unknown
  /** The state of each step, by path, in the order of declaration; a step's cause if it is skipped. */
  readonly steps: ReadonlyMap<
    string,
    { readonly state: 'succeeded' | 'failed' | 'skipped'; readonly cause?: string }
  >
  /** Handlers that run: `0.1!error`, `!success`. */
  readonly handlers: ReadonlySet<string>
  /** Paths of parts that a sibling's failure may have cancelled first: nothing is known of them. */
  readonly uncertain: ReadonlySet<string>
}

type Result = { ok: true; value: unknown } | { ok: false; cause: string }

/** The oracle: what a flow comes to when its parts are run one after the other. */
export function expected(flow: Value): Expected {
  const steps = new Map<string, { state: 'succeeded' | 'failed' | 'skipped'; cause?: string }>()
  const handlers = new Set<string>()
  const uncertain = new Set<string>()

  function run(part: Value, path: string, previous: unknown, fed: boolean, sure: boolean): Result {
    if (!sure) uncertain.add(path)
    const reads = fed && !part.detached
    const result = perform(part, path, previous, reads, sure)
    if (result.ok && part.onSuccess) handlers.add(`${path}!success`)
    if (!result.ok && part.onError) handlers.add(`${path}!error`)
    return result
  }

  function perform(part: Value, path: string, previous: unknown, reads: boolean, sure: boolean): Result {
    if (part.kind === 'step') {
      const ok = part.end === 'ok'
      steps.set(path, { state: ok ? 'succeeded' : 'failed' })
      return ok ? { ok, value: [path, reads ? previous : given(path)] } : { ok, cause: path }
    }
    if (part.kind === 'chain') {
      let result: Result = { ok: true, value: previous }
      for (const [i, next] of part.parts.entries()) {
        if (result.ok) result = run(next, below(path, i), result.value, reads || i > 0, sure)
        else skip(next, below(path, i), result.cause, sure)
      }
      return result
    }
    const certain = sure && !part.cancelSiblings
    const results = part.parts.map((member, i) => run(member, below(path, i), previous, reads, certain))
    const bad = results.find((result) => !result.ok)
    return bad ?? { ok: true, value: results.map((result) => (result.ok ? result.value : undefined)) }
  }

  function skip(part: Value, path: string, cause: string, sure: boolean): void {
    if (!sure) uncertain.add(path)
    if (part.kind === 'step') steps.set(path, { state: 'skipped', cause })
    else for (const [i, each] of part.parts.entries()) skip(each, below(path, i), cause, sure)
  }

  const result = run(flow, '', undefined, false, true)
  return { ok: result.ok, value: result.ok ? result.value : undefined, steps, handlers, uncertain }
}

/** The same flow with every step mended. */
export function mended(value: Value): Value {
  if (value.kind === 'step') return { ...value, end: 'ok' }
  return { ...value, parts: value.parts.map(mended) }
}

/** The steps that must have succeeded before a step may start, by its path. */
export function predecessorsOf(
  value: Value,
  path = '',
  before: readonly string[] = [],
): Map<string, string[]> {
  if (value.kind === 'step') return new Map([[path, [...before]]])
  const found = new Map<string, string[]>()
  let done = [...before]
  for (const [i, part] of value.parts.entries()) {
    for (const [at, needs] of predecessorsOf(part, below(path, i), done)) found.set(at, needs)
    if (value.kind === 'chain') done = [...done, ...fatesOf(part, below(path, i)).keys()]
  }
  return found
}

/** Every step by its path. */
export function fatesOf(value: Value, path = ''): Map<string, Fate> {
  if (value.kind === 'step') return new Map([[path, value]])
  return new Map(value.parts.flatMap((part, i) => [...fatesOf(part, below(path, i))]))
}
