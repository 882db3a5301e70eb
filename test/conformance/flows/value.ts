import fc from 'fast-check'

/** What becomes of a task that is left alone: how every delivery of it is answered, or why none is. */
export type Fate = 'ok' | 'fail' | 'poison' | 'expire' | 'cancel'

/** A small flow value, as a user would compose it. Its parts are known by their path: `0.2.1`. */
export type Value =
  | { readonly kind: 'task'; readonly fate: Fate }
  | { readonly kind: 'chain'; readonly steps: readonly Value[]; readonly onError: boolean }
  | {
      readonly kind: 'group'
      readonly members: readonly Value[]
      readonly onError: boolean
      readonly failFast: boolean
      readonly cancelSiblings: boolean
    }

const rarely = (weight: number) =>
  fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(false) }, { weight, arbitrary: fc.constant(true) })

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Fate>('ok') },
  { weight: 2, arbitrary: fc.constant<Fate>('fail') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('poison', 'expire', 'cancel') },
)

/** Flows of a depth up to 4: chains of 1 to 3, groups of 0 to 3. */
export const anyFlow: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'max', withCrossShrink: true },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('task' as const), fate }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('chain' as const),
        steps: fc.array(tie('value'), { minLength: 1, maxLength: 3, size: 'max' }),
        onError: rarely(3),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('group' as const),
        members: fc.array(tie('value'), { maxLength: 3, size: 'max' }),
        onError: rarely(3),
        failFast: rarely(2),
        cancelSiblings: rarely(2),
      }),
    },
  ),
})).value

/** What a flow comes to: its value, or its errors as they are nested. */
export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errors: unknown }

export interface Expected {
  readonly result: Result
  /** Paths whose error handler runs for certain. */
  readonly handled: readonly string[]
  /** Paths whose error handler may run: a sibling's failure may have cancelled them first. */
  readonly perhaps: readonly string[]
  /** Which errors are reported depends on the order of ends. */
  readonly racing: boolean
}

/**
 * The oracle: what a flow comes to when its parts run one after the other, by the outcome of each task alone.
 *
 * @param succeeds - by path, whether a task comes to a good end; without its fate, whether an empty group does
 */
export function expected(flow: Value, succeeds: (path: string, fate?: Fate) => boolean): Expected {
  const handled: string[] = []
  const perhaps: string[] = []
  let racing = false

  function run(part: Value, path: string, input: unknown, certain: boolean): Result {
    const result = part.kind === 'task' ? task(part, path, input) : composed(part, path, input, certain)
    if (!result.ok && part.kind !== 'task' && part.onError) (certain ? handled : perhaps).push(path)
    return result
  }

  const task = ({ fate }: Value & { kind: 'task' }, path: string, input: unknown): Result =>
    succeeds(path, fate) ? { ok: true, value: [path, input] } : { ok: false, errors: path }

  function composed(
    part: Value & { kind: 'chain' | 'group' },
    path: string,
    input: unknown,
    certain: boolean,
  ): Result {
    if (part.kind === 'chain') {
      let result: Result = { ok: true, value: input }
      for (const [i, step] of part.steps.entries()) {
        if (result.ok) result = run(step, `${path}.${i}`, result.value, certain)
      }
      return result
    }
    if (part.members.length === 0) return succeeds(path) ? { ok: true, value: [] } : { ok: false, errors: [] }
    const sure = certain && !part.cancelSiblings
    const results = part.members.map((member, i) => run(member, `${path}.${i}`, input, sure))
    if (results.every((result) => result.ok)) {
      return { ok: true, value: results.map((result) => (result.ok ? result.value : undefined)) }
    }
    racing ||= part.failFast || part.cancelSiblings
    return { ok: false, errors: results.map((result) => (result.ok ? null : result.errors)) }
  }

  const result = run(flow, '0', 'start', true)
  return { result, handled, perhaps, racing }
}
