import { UsageError } from '../errors.ts'
import type { Due, EpochMillis, Keep, Millis } from '../port/index.ts'
import { type Duration, millis } from './duration.ts'
import { checkName, checkOptions, checkPriority, invalid } from './options.ts'
import { checkRetry, layerRetry, type Retry, type RetryRule, serialisableRetry } from './retry.ts'

/** How a job is run. What is left out comes from the next weaker level: call, signature, task, app. */
export interface RunOptions {
  /** The line it waits in. @defaultValue 'default' */
  readonly queue?: string
  /** 0 to 9; 9 is taken first. @defaultValue 0 */
  readonly priority?: number
  /** How failures are retried; a number is the attempts, the first run included. @defaultValue 3 */
  readonly retry?: Retry
  /** One run may take so long; then `signal` aborts and a failure is counted. @defaultValue '30m' */
  readonly timeout?: Duration | false
  /** Not started within this time after it was first due, it ends as `expired`. @defaultValue never */
  readonly expires?: Duration
  /**
   * How long its record stays readable after it ends; one duration sets both, 0 keeps none. Cancelled and
   * expired jobs stay as long as failed ones. @defaultValue `{ succeeded: '1h', failed: '14d' }`
   */
  readonly keep?: Duration | { readonly succeeded?: Duration; readonly failed?: Duration }
}

/** {@link RunOptions} of one job, and when it runs and what travels with it. */
export interface JobOptions extends RunOptions {
  /** Run it no earlier than after this time. Not together with `at`. */
  readonly delay?: Duration
  /** Run it no earlier than then: a Date, or milliseconds since 1970. Not together with `delay`. */
  readonly at?: Date | EpochMillis
  /** Texts that travel with the job and that its handler reads. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Checked {@link JobOptions}: lengths in milliseconds, what was left out absent. Plain data on a signature. */
export interface Settings {
  readonly queue?: string
  readonly priority?: number
  readonly retry?: RetryRule
  readonly timeout?: Millis | false
  readonly expiresIn?: Millis
  readonly keep?: Partial<Keep>
  readonly due?: Due
  readonly headers?: Readonly<Record<string, string>>
}

/** What holds when no level says otherwise. */
export const DEFAULTS = {
  queue: 'default',
  priority: 0,
  retry: { attempts: 3 },
  timeout: 1_800_000,
  keep: { succeeded: 3_600_000, failed: 1_209_600_000 },
} as const satisfies Settings

export const RUN_OPTIONS = ['queue', 'priority', 'retry', 'timeout', 'expires', 'keep'] as const
export const JOB_OPTIONS = [...RUN_OPTIONS, 'delay', 'at', 'headers'] as const

/**
 * Check the options of a task or of an app. Names beside {@link RUN_OPTIONS} are the caller's to check.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export function checkRunOptions(options: RunOptions): Settings {
  return common(options, checkRetry)
}

/**
 * Check the options of one job. Functions are refused, since they can't travel with it.
 *
 * @param where - the call, as messages name it: `enqueue`
 * @param more - options that this call knows besides, and checks itself
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export function checkJobOptions(options: JobOptions, where: string, more: readonly string[] = []): Settings {
  checkOptions(options, more.length === 0 ? JOB_OPTIONS : [...JOB_OPTIONS, ...more], where)
  const { delay, at, headers } = options
  if (delay !== undefined && at !== undefined) {
    throw new UsageError('INVALID_OPTION', `${where} takes delay or at, not both.`)
  }
  const settings = common(options, serialisableRetry)
  if (delay !== undefined) settings.due = { in: millis(delay, 'delay') }
  if (at !== undefined) settings.due = { at: checkAt(at) }
  if (headers !== undefined) settings.headers = checkHeaders(headers)
  return settings
}

/** A level that says nothing. */
export const NONE: Settings = Object.freeze({})

/**
 * Levels from the weakest to the strongest as one; `retry`, `keep` and `headers` field by field. Nothing is
 * copied while only one of them says anything, as is so for most jobs.
 */
export function layer(...levels: readonly (Settings | undefined)[]): Settings {
  let all = NONE
  for (const level of levels) {
    if (level && saysSomething(level)) all = all === NONE ? level : over(all, level)
  }
  return all
}

function over(weaker: Settings, stronger: Settings): Settings {
  const { retry, keep, headers } = weaker
  const all: Draft = { ...weaker, ...stronger }
  if (retry && stronger.retry) all.retry = layerRetry(retry, stronger.retry)
  if (keep && stronger.keep) all.keep = { ...keep, ...stronger.keep }
  if (headers && stronger.headers) all.headers = { ...headers, ...stronger.headers }
  return all
}

function saysSomething(level: Settings): boolean {
  for (const _ in level) return true
  return false
}

/** Filled field by field: spreading the optional ones took three times as long, at every enqueue. */
type Draft = { -readonly [K in keyof Settings]: Settings[K] }

function common(options: RunOptions, retryOf: (retry: Retry) => RetryRule): Draft {
  const { queue, priority, retry, timeout, expires, keep } = options
  const settings: Draft = {}
  if (queue !== undefined) settings.queue = checkName(queue, 'queue')
  if (priority !== undefined) settings.priority = checkPriority(priority)
  if (retry !== undefined) settings.retry = retryOf(retry)
  if (timeout !== undefined) settings.timeout = timeout === false ? false : positive(timeout, 'timeout')
  if (expires !== undefined) settings.expiresIn = positive(expires, 'expires')
  if (keep !== undefined) settings.keep = checkKeep(keep)
  return settings
}

function checkKeep(keep: NonNullable<RunOptions['keep']>): Partial<Keep> {
  if (typeof keep !== 'object') {
    const both = millis(keep, 'keep')
    return { succeeded: both, failed: both }
  }
  checkOptions(keep, ['succeeded', 'failed'], 'keep')
  const { succeeded, failed } = keep
  return {
    ...(succeeded !== undefined && { succeeded: millis(succeeded, 'keep.succeeded') }),
    ...(failed !== undefined && { failed: millis(failed, 'keep.failed') }),
  }
}

function positive(value: Duration, name: string): Millis {
  const length = millis(value, name)
  if (length > 0) return length
  throw invalid(name, name === 'timeout' ? 'longer than 0 (false sets none)' : 'longer than 0', value)
}

function checkAt(at: unknown): EpochMillis {
  const time = at instanceof Date ? at.getTime() : at
  if (typeof time === 'number' && time >= 0 && time <= 8.64e15) return Math.round(time)
  throw invalid('at', 'a valid Date or milliseconds since 1970', at)
}

function checkHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw invalid('headers', 'an object of strings', headers)
  }
  const copy: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name === '' || name === '__proto__' || /\p{Cc}/u.test(name)) {
      throw invalid('a header', 'named without control characters, not empty and not "__proto__"', name)
    }
    if (typeof value !== 'string') throw invalid(`headers[${JSON.stringify(name)}]`, 'a string', value)
    copy[name] = value
  }
  return Object.freeze(copy)
}
