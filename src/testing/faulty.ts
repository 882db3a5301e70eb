import type { Backend, Consumer } from '../port/index.ts'

/** What a call is about; `records` stands for all reading, `hint` for one event. */
export type Verb =
  | 'submit'
  | 'consume'
  | 'take'
  | 'renew'
  | 'finish'
  | 'sweep'
  | 'records'
  | 'cancel'
  | 'retry'
  | 'schedules'
  | 'hint'

/** A call that is about to be made. */
export interface Call {
  readonly verb: Verb
  /** 1 for the first call of its verb, then 2, and so on. */
  readonly nth: number
  readonly args: readonly unknown[]
}

/** What is to happen to a call. */
export type Fault =
  /** It is refused with this error, and nothing is done. A hint is lost. */
  | { readonly fail: Error }
  /** It is done, but its answer is lost on the way: it rejects with this error. */
  | { readonly lose: Error }
  /** It begins once this promise has settled. */
  | { readonly delay: Promise<unknown> }
  /** It is made twice, as when a network sends it again; the caller gets the first answer. */
  | { readonly repeat: true }

/** Decides, call by call, what goes wrong; `undefined` lets the call pass. */
export type Plan = (call: Call) => Fault | undefined

/**
 * A backend on which calls fail, come late, lose their answer or arrive twice, as the plan says: to test
 * what stands on a backend, and to run the conformance suite over a bad network. It has no `pulse`: a helper
 * thread would renew a worker's lease past the plan, on a connection of its own.
 *
 * @param backend - the backend that does the work
 * @param plan - asked before every call
 * @example
 * // The first finish is carried out, but its answer never arrives.
 * const backend = faulty(memory(), ({ verb, nth }) =>
 *   verb === 'finish' && nth === 1 ? { lose: new BackendError('BACKEND_UNAVAILABLE', 'cut') } : undefined,
 * )
 */
export function faulty(backend: Backend, plan: Plan): Backend {
  const made = new Map<Verb, number>()

  function next(verb: Verb, args: readonly unknown[]): Fault | undefined {
    const nth = (made.get(verb) ?? 0) + 1
    made.set(verb, nth)
    return plan({ verb, nth, args })
  }

  const meet =
    <A extends readonly unknown[], R>(verb: Verb, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const fault = next(verb, args)
      if (fault && 'fail' in fault) throw fault.fail
      if (fault && 'delay' in fault) await fault.delay
      const answer = await call(...args)
      if (fault && 'repeat' in fault) await call(...args)
      if (fault && 'lose' in fault) throw fault.lose
      return answer
    }

  const { records, control, schedules } = backend
  return {
    submit: meet('submit', (batch) => backend.submit(batch)),
    consume: meet('consume', async (options) => consumer(await backend.consume(options), meet)),
    sweep: meet('sweep', (limit) => backend.sweep(limit)),
    async *events(filter, signal) {
      for await (const event of backend.events(filter, signal)) {
        const fault = next('hint', [event])
        if (fault && ('fail' in fault || 'lose' in fault)) continue
        if (fault && 'delay' in fault) await fault.delay
        yield event
        if (fault && 'repeat' in fault) yield event
      }
    },
    records: {
      get: meet('records', (ids) => records.get(ids)),
      joins: meet('records', (ids) => records.joins(ids)),
      slots: meet('records', (join, from, limit) => records.slots(join, from, limit)),
      list: meet('records', (filter, limit, cursor) => records.list(filter, limit, cursor)),
      counts: meet('records', () => records.counts()),
      workers: meet('records', () => records.workers()),
    },
    control: {
      cancel: meet('cancel', (ids) => control.cancel(ids)),
      retry: meet('retry', (ids) => control.retry(ids)),
      shiftClock: (offset) => control.shiftClock(offset),
    },
    schedules: {
      get: meet('records', (names) => schedules.get(names)),
      list: meet('records', (limit, after) => schedules.list(limit, after)),
      change: meet('schedules', (changes) => schedules.change(changes)),
    },
    diagnose: () => backend.diagnose(),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

type Meet = <A extends readonly unknown[], R>(
  verb: Verb,
  call: (...args: A) => Promise<R>,
) => (...args: A) => Promise<R>

const consumer = (inner: Consumer, meet: Meet): Consumer => ({
  take: meet('take', (max, signal) => inner.take(max, signal)),
  renew: meet('renew', (progress) => inner.renew(progress)),
  finish: meet('finish', (outcomes) => inner.finish(outcomes)),
  [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
})
