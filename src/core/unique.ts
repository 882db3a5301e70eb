import { UsageError } from '../errors.ts'
import type { Body, Millis, Submission, Unique } from '../port/index.ts'
import { unpackCall } from './body.ts'
import { encode } from './codec.ts'
import { type Duration, millis } from './duration.ts'
import { checkBoolean, checkOptions, invalid, LONGEST_NAME } from './options.ts'
import { show } from './show.ts'

/** One job at a time for a key. */
export interface UniqueOptions {
  /** What is to be unique, within the task. @defaultValue the input */
  readonly key?: string
  /** No longer than so. @defaultValue as long as `until` says */
  readonly for?: Duration
  /** Until the job that holds the key has started, or has ended. @defaultValue 'finished' */
  readonly until?: 'started' | 'finished'
  /** A holder that has not started runs as this call says, in its place. @defaultValue false */
  readonly replace?: boolean
}

/** One job for many calls that come one after another: it runs once there was none for a while. */
export interface DebounceOptions {
  /** Which calls belong together, within the task. @defaultValue the input */
  readonly key?: string
  /** Run when no further call has come for so long. */
  readonly wait: Duration
  /** But don't let later calls put it off for longer than so. @defaultValue for ever */
  readonly most?: Duration
}

/** At most one job in a time. */
export interface ThrottleOptions {
  /** Which calls belong together, within the task. @defaultValue the input */
  readonly key?: string
  /** After one was accepted, none is for so long. */
  readonly every: Duration
}

/** Of these, a call takes one. */
export interface UniqueCall {
  /** Accept it only if no other job holds its key: the answer is that job, as a `duplicate`. */
  readonly unique?: UniqueOptions
  /** Of calls close to each other the last is run: each puts off, and replaces, the one before. */
  readonly debounce?: DebounceOptions
  /** Of calls close to each other the first is run. */
  readonly throttle?: ThrottleOptions
}

export const UNIQUE_OPTIONS = ['unique', 'debounce', 'throttle'] as const

/** A checked call: what its submission is to carry, and in what time it is due. */
export interface Uniqueness {
  readonly key?: string
  readonly unique: Omit<Unique, 'key'>
  readonly wait?: Millis
}

/**
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export function checkUnique(call: UniqueCall): Uniqueness | undefined {
  const { unique, debounce, throttle } = call
  const given = UNIQUE_OPTIONS.filter((name) => call[name] !== undefined)
  if (given.length > 1) {
    throw new UsageError('INVALID_OPTION', `enqueue takes one of ${given.join(' and ')}, not several.`)
  }
  if (unique) {
    checkOptions(unique, ['key', 'for', 'until', 'replace'], 'unique')
    const { until = 'finished', replace = false } = unique
    if (until !== 'started' && until !== 'finished') {
      throw invalid('unique.until', "'started' or 'finished'", until)
    }
    const wins = checkBoolean(replace, 'unique.replace') ? 'last' : 'first'
    const most = unique.for === undefined ? {} : { for: positive(unique.for, 'unique.for') }
    return { ...keyOf(unique.key, 'unique'), unique: { until, wins, ...most } }
  }
  if (debounce) {
    checkOptions(debounce, ['key', 'wait', 'most'], 'debounce')
    const most = debounce.most === undefined ? {} : { for: positive(debounce.most, 'debounce.most') }
    return {
      ...keyOf(debounce.key, 'debounce'),
      unique: { until: 'started', wins: 'last', ...most },
      wait: positive(debounce.wait, 'debounce.wait'),
    }
  }
  if (throttle) {
    checkOptions(throttle, ['key', 'every'], 'throttle')
    const length = positive(throttle.every, 'throttle.every')
    return { ...keyOf(throttle.key, 'throttle'), unique: { until: 'elapsed', wins: 'first', for: length } }
  }
  return undefined
}

/**
 * A submission with its key. The key is the task's own: another task's jobs may hold the same text.
 *
 * @param digest - shortens an input that is a key
 * @throws UsageError INVALID_OPTION for a flow, which has no input to be its key, and can't be replaced
 */
export function withKey(
  submission: Submission,
  { key, unique, wait }: Uniqueness,
  digest: (text: string) => string,
): Submission {
  const [job] = submission.jobs
  if (submission.joins) {
    if (unique.wins === 'last') {
      throw new UsageError(
        'INVALID_OPTION',
        'A flow, or a job with handlers, can be unique or throttled, and not be replaced.',
      )
    }
    if (key === undefined)
      throw new UsageError('INVALID_OPTION', 'A flow, or a job with handlers, needs a key to be unique by.')
    return { ...submission, unique: { ...unique, key: `flow:${key}` } }
  }
  const { task, body, due } = job!
  if (wait !== undefined && due) {
    throw new UsageError('INVALID_OPTION', 'debounce says when it runs: it takes no delay and no at.')
  }
  const own = key ?? digest(inputText(body))
  return {
    ...submission,
    ...(wait !== undefined && { jobs: [{ ...job!, due: { in: wait } }] }),
    unique: { ...unique, key: `${key === undefined ? 'input' : 'task'}:${task}:${own}` },
  }
}

/** The input as text, the same for objects that differ in the order of their fields. */
function inputText(body: Body): string {
  const plain = JSON.parse(encode(unpackCall(body).input, 'input')) as unknown
  return JSON.stringify(plain, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

function keyOf(key: unknown, option: string): { key?: string } {
  if (key === undefined) return {}
  if (typeof key === 'string' && key !== '' && key.length <= LONGEST_NAME) return { key }
  throw invalid(
    `${option}.key`,
    `a string of 1 to ${LONGEST_NAME} characters`,
    typeof key === 'string' ? show(key) : key,
  )
}

function positive(value: Duration, name: string): Millis {
  const length = millis(value, name)
  if (length > 0) return length
  throw invalid(name, 'longer than 0', value)
}
