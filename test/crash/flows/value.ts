import fc from 'fast-check'
import { chain, group, map, type Part, type Step } from 'millrace'
import { fail, flaky, later, ok, onError, onSuccess, poison } from './tasks.mjs'

/** What becomes of a step. `expire` and `cancel` wait in queues that nobody serves. */
export type Fate = 'ok' | 'flaky' | 'later' | 'fail' | 'poison' | 'expire' | 'cancel'

interface Handlers {
  readonly onError: boolean
  readonly onSuccess: boolean
}
export interface StepValue extends Handlers {
  readonly kind: 'step'
  readonly fate: Fate
  /** It has an input of its own, whatever comes before. */
  readonly detached: boolean
}
export interface ChainValue extends Handlers {
  readonly kind: 'chain'
  readonly parts: readonly Value[]
}
export interface GroupValue extends Handlers {
  readonly kind: 'group'
  readonly parts: readonly Value[]
  readonly failFast: boolean
  readonly cancelSiblings: boolean
}
/** A flow as a plain value, from which the flow is built and its end foretold. */
export type Value = StepValue | ChainValue | GroupValue

export const QUEUES = ['default', 'fast']
export const UNSERVED = 'unserved'
/** Whose jobs are cancelled. */
export const DOOMED = 'doomed'
export const OWN = 'own'

const rarely = (weight: number) =>
  fc.oneof({ weight: 20 - weight, arbitrary: fc.constant(false) }, { weight, arbitrary: fc.constant(true) })
const handlers = { onError: rarely(3), onSuccess: rarely(3) }

const anyFate = (deadly: boolean): fc.Arbitrary<Fate> =>
  fc.oneof(
    { weight: 140, arbitrary: fc.constant<Fate>('ok') },
    { weight: 30, arbitrary: fc.constantFrom<Fate>('flaky', 'later') },
    { weight: 8, arbitrary: fc.constant<Fate>('fail') },
    { weight: 4, arbitrary: fc.constantFrom<Fate>('expire', 'cancel') },
    { weight: deadly ? 1 : 0, arbitrary: fc.constant<Fate>('poison') },
  )

/** Flows of a depth up to 4: chains of 1 to 3, groups of 0 to 3. */
const anyValue = (deadly: boolean): fc.Arbitrary<Value> =>
  fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'max' },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('step' as const),
          fate: anyFate(deadly),
          detached: rarely(2),
          ...handlers,
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('chain' as const),
          parts: fc.array(tie('value'), { minLength: 1, maxLength: 3, size: 'max' }),
          ...handlers,
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('group' as const),
          parts: fc.array(tie('value'), { maxLength: 3, size: 'max' }),
          failFast: rarely(4),
          cancelSiblings: rarely(4),
          ...handlers,
        }),
      },
    ),
  })).value

/** As many flows as wanted; the same for the same seed. */
export const sample = (seed: number, count: number, deadly: boolean): Value[] =>
  fc.sample(anyValue(deadly), { seed, numRuns: count })

/** The flow that is enqueued: the value as the only member of a group, with the input `start`. */
export const build = (value: Value): Part =>
  map(partOf(value, { count: 0 }) as Step<string, unknown>, ['start'])

/** What handlers are given depends on what is built around them, which the compiler can't follow here. */
type Loose = Part & {
  options(options: object): Loose
  detached(): Loose
  with(input: unknown): Loose
  onError(step: unknown): Loose
  onSuccess(step: unknown): Loose
}

function partOf(value: Value, steps: { count: number }): Part {
  let part = bareOf(value, steps) as Loose
  if (value.onError) part = part.onError(onError)
  if (value.onSuccess) part = part.onSuccess(onSuccess.options({ queue: 'fast' }))
  return part
}

function bareOf(value: Value, steps: { count: number }): Part {
  if (value.kind === 'step') return stepOf(value, steps.count++)
  const parts = value.parts.map((part) => partOf(part, steps))
  if (value.kind === 'chain') return (chain as (...steps: Part[]) => Part)(...parts)
  const { failFast, cancelSiblings } = value
  return (group as (members: Part[], options: object) => Part)(parts, { failFast, cancelSiblings })
}

const taskOf = { ok, flaky, later, fail, poison, expire: ok, cancel: ok }

/** Steps cross queues, and have priorities and delays of their own. */
function stepOf({ fate, detached }: StepValue, n: number): Part {
  const queue = fate === 'expire' ? UNSERVED : fate === 'cancel' ? DOOMED : QUEUES[n % QUEUES.length]
  const task = taskOf[fate] as unknown as Loose
  return (detached ? task.with(OWN).detached() : task).options({
    queue,
    priority: n % 3,
    ...(n % 7 === 6 && { delay: 40 }),
    ...(fate === 'expire' && { expires: 300 }),
  })
}
