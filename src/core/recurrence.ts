import { Cron } from 'croner'
import type { EpochMillis, Millis } from '../port/index.ts'
import { type Duration, formatMillis, millis } from './duration.ts'
import { checkOptions, invalid } from './options.ts'
import { show } from './show.ts'

declare const recurrence: unique symbol

/** When something recurs: made by {@link cron} or {@link every}. An immutable value. */
export interface Recurrence {
  readonly [recurrence]: true
}

/** The same as plain data. */
export type Rule =
  | { readonly kind: 'cron'; readonly pattern: string; readonly timezone: string }
  | { readonly kind: 'every'; readonly interval: Millis }

export interface CronOptions {
  /** An IANA name such as `'Europe/Paris'`. @defaultValue 'UTC' */
  readonly timezone?: string
}

/** No rule is due more often. */
const SHORTEST: Millis = 1_000

/**
 * By a cron expression: minute, hour, day of the month, month, day of the week; with six fields the first is the
 * second. Names (`MON`, `JAN`), lists, ranges, steps, `L`, `W`, `#` and nicknames such as `@daily` are known. When
 * both days are given, either will do, as in Vixie cron.
 *
 * Times are what the clock of the zone shows. A fixed time, with one value each for second, minute and hour
 * (`30 2 * * *`), is due once a day: the first time, when the clock goes back over it; as soon as the clock goes on
 * (at 3:00), when it goes forward over it. All else (`*`, lists, ranges, steps) is due whenever the clock shows it:
 * in both hours, when it goes back; not at all, when it goes forward over it.
 *
 * @throws UsageError INVALID_OPTION when the expression or the zone is not known, or never comes true
 * @example
 * await app.schedule('report', cron('0 3 * * MON-FRI', { timezone: 'Europe/Paris' }), report.with({}))
 */
export function cron(pattern: string, options: CronOptions = {}): Recurrence {
  checkOptions(options, ['timezone'], 'cron()')
  const { timezone = 'UTC' } = options
  checkZone(timezone)
  const rule: Rule = { kind: 'cron', pattern: checkPattern(pattern, timezone), timezone }
  return Object.freeze(rule) as unknown as Recurrence
}

/**
 * At fixed intervals, counted from 1970-01-01 00:00 UTC: `every('15m')` is due at :00, :15, :30 and :45 in every
 * process. At least a second.
 *
 * @throws UsageError INVALID_OPTION
 * @example
 * await app.schedule('poll', every('5m'), poll.with({}))
 */
export function every(interval: Duration): Recurrence {
  const length = millis(interval, 'interval')
  if (length < SHORTEST) throw invalid('interval', 'at least a second', interval)
  const rule: Rule = { kind: 'every', interval: length }
  return Object.freeze(rule) as unknown as Recurrence
}

/**
 * The rule of a value that was made by `cron()` or `every()`.
 *
 * @throws UsageError INVALID_OPTION
 */
export function ruleOf(value: unknown): Rule {
  const { kind } = (value ?? {}) as Rule
  if (kind === 'cron' || kind === 'every') return value as Rule
  throw invalid('when', "a recurrence, such as cron('0 3 * * *') or every('5m')", value)
}

/** The first due time after `after`; `undefined` when there is none. */
export function nextAfter(rule: Rule, after: EpochMillis): EpochMillis | undefined {
  if (rule.kind === 'every') return (Math.floor(after / rule.interval) + 1) * rule.interval
  const { cron, spans } = compiled(rule)
  const known = spans.find((span) => span.after <= after && after < span.next)
  const next = known?.next ?? cron.nextRun(new Date(after))?.getTime() ?? Number.POSITIVE_INFINITY
  if (!known) spans.push({ after, next })
  if (spans.length > MOST_SPANS) spans.shift()
  return next === Number.POSITIVE_INFINITY ? undefined : next
}

/** The last due times from `from` to `until`, both included, in order; at most `most`. */
export function lastUntil(rule: Rule, from: EpochMillis, until: EpochMillis, most: number): EpochMillis[] {
  const found: EpochMillis[] = []
  if (rule.kind === 'every') {
    const { interval } = rule
    const last = Math.floor(until / interval) * interval
    for (let due = last; due >= from && found.length < most; due -= interval) found.push(due)
    return found.reverse()
  }
  // A gap is short, as a rule: then walking forward through it is all.
  for (let due = nextAfter(rule, from - 1); due !== undefined && due <= until; due = nextAfter(rule, due)) {
    found.push(due)
    if (found.length > most) return runsBefore(rule, until, most).filter((due) => due >= from)
  }
  return found
}

/** `0 3 * * * (Europe/Paris)`, `every 5m`. */
export const ruleText = (rule: Rule): string =>
  rule.kind === 'every' ? `every ${formatMillis(rule.interval)}` : `${rule.pattern} (${rule.timezone})`

const runsBefore = (rule: Rule & { kind: 'cron' }, until: EpochMillis, most: number): EpochMillis[] =>
  compiled(rule)
    .cron.previousRuns(most, new Date(until + 1))
    .map((due) => due.getTime())
    .sort((a, b) => a - b)

interface Compiled {
  readonly cron: Cron
  /** From `after` on, and until then, `next` is the next due time: to find one takes 50 µs, and it is asked thrice. */
  readonly spans: { readonly after: EpochMillis; readonly next: EpochMillis }[]
}

/** Patterns that were read, since reading one takes longer than asking it. */
const patterns = new Map<string, Compiled>()
const MOST_PATTERNS = 1_000
const MOST_SPANS = 3

function compiled({ pattern, timezone }: Rule & { kind: 'cron' }): Compiled {
  const key = `${timezone} ${pattern}`
  let known = patterns.get(key)
  if (!known) {
    known = { cron: read(pattern, timezone), spans: [] }
    if (patterns.size === MOST_PATTERNS) patterns.clear()
    patterns.set(key, known)
  }
  return known
}

const read = (pattern: string, timezone: string): Cron =>
  new Cron(pattern, { timezone, mode: '5-or-6-parts', paused: true })

function checkZone(timezone: unknown): void {
  try {
    if (typeof timezone === 'string' && timezone !== '') {
      new Intl.DateTimeFormat('en', { timeZone: timezone })
      return
    }
  } catch {
    // Unknown: told below.
  }
  throw invalid('timezone', "the name of a time zone, such as 'Europe/Paris' or 'UTC'", timezone)
}

function checkPattern(pattern: unknown, timezone: string): string {
  const expected = "of five fields, or six with seconds, such as '0 3 * * MON-FRI'"
  const text = typeof pattern === 'string' ? pattern.trim().replace(/\s+/g, ' ') : ''
  // The library would also take a single date.
  if (!/^(@\w+|\S+( \S+){4,5})$/.test(text) || text.length > 200) {
    throw invalid('the cron expression', expected, pattern)
  }
  let found: Date | null
  try {
    found = read(text, timezone).nextRun(new Date(0))
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    throw invalid('the cron expression', `${expected} (${why})`, pattern)
  }
  if (!found) throw invalid('the cron expression', `one that comes true (${show(text)} never does)`, pattern)
  return text
}
