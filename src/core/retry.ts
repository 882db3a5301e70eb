import type { Millis } from '../port/index.ts'
import { type Duration, millis } from './duration.ts'
import { checkBoolean, checkOptions, invalid } from './options.ts'

/**
 * How failures of a task are retried. A number is short for `{ attempts }`. What is left out comes from
 * the next weaker level: call, signature, task, app, and last the defaults named here.
 */
export type Retry = number | RetryOptions

export interface RetryOptions {
  /** How often it may run, the first run included: 1 to 10,000. @defaultValue 3 */
  readonly attempts?: number
  /**
   * How the delay grows: `fixed` is always `from`; `exponential` doubles; `fibonacci` goes 1, 1, 2, 3, 5
   * times `from`; or a function of the attempt that failed (1 is the first) and its error. A function may
   * stand in a task's definition only. @defaultValue 'exponential'
   */
  readonly backoff?: 'fixed' | 'exponential' | 'fibonacci' | ((attempt: number, error: unknown) => Duration)
  /** The delay before the second attempt. @defaultValue '1s' */
  readonly from?: Duration
  /** No delay is longer. @defaultValue '1h', or `from` when that is longer; none for a function */
  readonly to?: Duration
  /**
   * Spread each delay evenly between 0 and itself ("full jitter"), so that what failed together doesn't
   * come back together. @defaultValue true for `exponential`, else false
   */
  readonly jitter?: boolean
  /** Whether this error is worth another attempt. In a task's definition only. @defaultValue all are */
  readonly retryIf?: (error: unknown, attempt: number) => boolean
}

/** Checked {@link RetryOptions}, with lengths in milliseconds. Without functions it may be stored. */
export interface RetryRule {
  readonly attempts?: number
  readonly backoff?: NonNullable<RetryOptions['backoff']>
  readonly from?: Millis
  readonly to?: Millis
  readonly jitter?: boolean
  readonly retryIf?: NonNullable<RetryOptions['retryIf']>
}

/** A rule made ready to run. */
export interface RetryPolicy {
  readonly attempts: number
  /**
   * The delay before the next attempt, or `undefined` when this failure is the last.
   *
   * Never throws. When `backoff` throws or returns no duration, the exponential delay is used; when
   * `retryIf` throws or returns no boolean, the job is retried; and `report` is told the fault.
   *
   * @param attempt - the attempt that failed; 1 is the first
   * @param random - a number from 0 up to, not including, 1
   */
  next(
    attempt: number,
    error: unknown,
    random: () => number,
    report?: (fault: unknown) => void,
  ): Millis | undefined
}

const KNOWN = ['attempts', 'backoff', 'from', 'to', 'jitter', 'retryIf']
const BACKOFFS: readonly unknown[] = ['fixed', 'exponential', 'fibonacci']
const MOST_ATTEMPTS = 10_000
const DEFAULT_TO: Millis = 3_600_000

/**
 * Check a retry option once.
 *
 * @param name - as messages name it, such as `retry`
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export function checkRetry(retry: Retry, name = 'retry'): RetryRule {
  if (typeof retry === 'number') return { attempts: checkAttempts(retry, name) }
  checkOptions(retry, KNOWN, name)
  const { attempts, backoff, from, to, jitter, retryIf } = retry
  if (backoff !== undefined && typeof backoff !== 'function' && !BACKOFFS.includes(backoff)) {
    throw invalid(`${name}.backoff`, "'fixed', 'exponential', 'fibonacci' or a function", backoff)
  }
  if (retryIf !== undefined && typeof retryIf !== 'function') {
    throw invalid(`${name}.retryIf`, 'a function of the error that returns true or false', retryIf)
  }
  const rule: RetryRule = {
    ...(attempts !== undefined && { attempts: checkAttempts(attempts, `${name}.attempts`) }),
    ...(backoff !== undefined && { backoff }),
    ...(from !== undefined && { from: millis(from, `${name}.from`) }),
    ...(to !== undefined && { to: millis(to, `${name}.to`) }),
    ...(jitter !== undefined && { jitter: checkBoolean(jitter, `${name}.jitter`) }),
    ...(retryIf !== undefined && { retryIf }),
  }
  if (rule.from !== undefined && rule.to !== undefined && rule.from > rule.to) {
    throw invalid(`${name}.to`, `at least ${name}.from`, to)
  }
  return rule
}

/**
 * Check a retry option of a call or a signature, which travels with the job.
 *
 * @throws UsageError INVALID_OPTION also for functions: they can't travel
 */
export function serialisableRetry(retry: Retry, name = 'retry'): RetryRule {
  const rule = checkRetry(retry, name)
  for (const option of ['backoff', 'retryIf'] as const) {
    if (typeof rule[option] !== 'function') continue
    throw invalid(
      `${name}.${option}`,
      'left to the task definition, where the worker finds it (a function is not stored with a job)',
      rule[option],
    )
  }
  return rule
}

/** The stronger rule's fields over the weaker's. */
export const layerRetry = (weak: RetryRule | undefined, strong: RetryRule | undefined): RetryRule => ({
  ...weak,
  ...strong,
})

/**
 * Make a checked rule ready to run. It never throws: a `from` above a `to` that came from another level
 * is capped.
 */
export function compileRetry(rule: RetryRule): RetryPolicy {
  const attempts = rule.attempts ?? 3
  const backoff = rule.backoff ?? 'exponential'
  const from = rule.from ?? 1000
  const to = rule.to ?? Math.max(DEFAULT_TO, from)
  const jitter = rule.jitter ?? backoff === 'exponential'

  return {
    attempts,
    next(attempt, error, random, report) {
      if (attempt >= attempts || !wanted(attempt, error, report)) return undefined
      if (typeof backoff !== 'function') return spread(grown(backoff, attempt), jitter, random)
      const own = asked(backoff, attempt, error, report)
      if (own === undefined) return spread(grown('exponential', attempt), true, random)
      return spread(rule.to === undefined ? own : Math.min(own, rule.to), jitter, random)
    },
  }

  function wanted(attempt: number, error: unknown, report?: (fault: unknown) => void): boolean {
    if (!rule.retryIf) return true
    try {
      const answer: unknown = rule.retryIf(error, attempt)
      if (typeof answer === 'boolean') return answer
      settle(answer)
      report?.(invalid('the answer of retryIf', 'true or false', answer))
    } catch (fault) {
      report?.(fault)
    }
    return true
  }

  function grown(kind: 'fixed' | 'exponential' | 'fibonacci', attempt: number): Millis {
    if (from === 0) return 0
    if (kind === 'fixed') return Math.min(to, from)
    if (kind === 'exponential') return Math.min(to, from * 2 ** (attempt - 1))
    let [now, next] = [from, from]
    for (let i = 1; i < attempt && now < to; i++) [now, next] = [next, now + next]
    return Math.min(to, now)
  }
}

function asked(
  backoff: (attempt: number, error: unknown) => Duration,
  attempt: number,
  error: unknown,
  report?: (fault: unknown) => void,
): Millis | undefined {
  try {
    const answer = backoff(attempt, error)
    settle(answer)
    return millis(answer, 'the answer of backoff')
  } catch (fault) {
    report?.(fault)
    return undefined
  }
}

/**
 * "Full jitter" of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015:
 * sleep = random_between(0, min(cap, base * 2 ** attempt)). Of his variants it takes the least work to
 * clear a crowd of competing clients.
 */
const spread = (delay: Millis, jitter: boolean, random: () => number): Millis =>
  jitter ? Math.round(delay * random()) : delay

/** An async function in the place of a plain one: its rejection must not end the process. */
function settle(answer: unknown): void {
  if (answer instanceof Promise) answer.catch(() => {})
}

function checkAttempts(attempts: unknown, name: string): number {
  if (Number.isInteger(attempts) && (attempts as number) >= 1 && (attempts as number) <= MOST_ATTEMPTS) {
    return attempts as number
  }
  throw invalid(name, `a whole number from 1 (run once, no retry) to ${MOST_ATTEMPTS}`, attempts)
}
