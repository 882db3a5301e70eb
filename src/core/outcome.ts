import { Discard, type FailureCode, RetryLater } from '../errors.ts'
import type { Body, Delivery, End, Millis } from '../port/index.ts'
import { millis } from './duration.ts'
import { describeFailure, type Failure, packFailure } from './failure.ts'
import type { RetryPolicy } from './retry.ts'

/** What decides between another try and the end. */
export interface Policy {
  readonly retry: RetryPolicy
  /** How long a job may ask for "later" before it is given up. */
  readonly giveUpAfter: Millis
  readonly random: () => number
  /** A fault in the user's own `retryIf` or `backoff`. */
  readonly report?: (fault: unknown) => void
}

export const succeeded = (result: Body): End => ({ kind: 'final', state: 'succeeded', result })

export const failed = (failure: Failure): End => ({
  kind: 'final',
  state: 'failed',
  result: packFailure(failure),
})

export const cancelled = (failure: Failure): End => ({
  kind: 'final',
  state: 'cancelled',
  result: packFailure({ ...failure, code: 'CANCELLED' }),
})

/** What a handler's throw leads to: again without counting, given up, retried, or failed. Never throws. */
export function afterThrow(delivery: Delivery, thrown: unknown, code: FailureCode, policy: Policy): End {
  if (isA(thrown, RetryLater)) return later(delivery, thrown, policy)
  if (isA(thrown, Discard)) return failed(describeFailure(thrown, 'DISCARDED'))
  const failure = describeFailure(thrown, code)
  const delay = policy.retry.next(delivery.attempt, thrown, policy.random, policy.report)
  if (delay === undefined) return failed(failure)
  return { kind: 'again', delay, error: packFailure(failure), counts: true }
}

/** `instanceof` for anything that can be thrown: a proxy may throw when it is asked. */
function isA<T>(thrown: unknown, kind: new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof kind
  } catch {
    return false
  }
}

function later(delivery: Delivery, thrown: RetryLater, { giveUpAfter }: Policy): End {
  const failure = describeFailure(thrown)
  if (delivery.age >= giveUpAfter) {
    return failed({ ...failure, code: 'GAVE_UP', message: `gave up after many "later": ${failure.message}` })
  }
  try {
    const delay = millis(thrown.delay, 'the delay of RetryLater')
    return { kind: 'again', delay, error: packFailure(failure), counts: false }
  } catch (fault) {
    return failed(describeFailure(fault))
  }
}

/**
 * A job that this worker can't read or doesn't know: during a rolling deploy another may, so it goes back,
 * at growing intervals up to a minute, and fails once it was due for longer than `patience`.
 */
export function notMine(delivery: Delivery, failure: Failure, patience: Millis): End {
  if (delivery.age >= patience) return failed(failure)
  // Grows with the age, as no count of these deliveries is kept: about a doubling each time.
  const delay = Math.min(60_000, Math.max(500, delivery.age))
  return {
    kind: 'again',
    delay: Math.min(delay, patience - delivery.age),
    error: packFailure(failure),
    counts: false,
  }
}
