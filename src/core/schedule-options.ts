import { UsageError } from '../errors.ts'
import type { EpochMillis } from '../port/index.ts'
import { compile } from './compile.ts'
import type { Definition } from './definition.ts'
import { type Duration, millis } from './duration.ts'
import { type PartValue, partOf } from './flow.ts'
import { checkName, checkOptions, invalid } from './options.ts'
import type { Complete, Part } from './part.ts'
import { type Recurrence, ruleOf } from './recurrence.ts'
import { MARKER, type Missed, type Overlap, type Plan } from './schedule.ts'
import { NONE, type Settings } from './settings.ts'

/** How a schedule is fired. */
export interface ScheduleOptions {
  /** Not before then: a Date, or milliseconds since 1970. */
  readonly start?: Date | EpochMillis
  /** Not after then. */
  readonly end?: Date | EpochMillis
  /** Fire it so many times at the most. */
  readonly limit?: number
  /**
   * Fire each time up to so much later, but before the next, so that many schedules don't come at once. The same in
   * every process.
   */
  readonly jitter?: Duration
  /**
   * What becomes of due times that nobody fired within a minute, because no worker ran: `skip` fires none of them,
   * `latest` the last, `all` each, up to the last 100. @defaultValue 'latest'
   */
  readonly missed?: Missed
  /**
   * When it is due and what it fired last has not ended: `allow` fires it, `skip` leaves this time out, `queue`
   * fires it once that has ended, and of several that passed meanwhile, the last (with `missed: 'all'`, each).
   * @defaultValue 'allow'
   */
  readonly overlap?: Overlap
}

declare const declared: unique symbol

/** A schedule as a value: what {@link schedule} makes, and a worker declares. */
export interface ScheduleDefinition {
  readonly [declared]: true
}

/** The same at run time. */
export interface DefinitionValue {
  readonly kind: 'schedule'
  readonly name: string
  readonly when: Recurrence
  readonly part: unknown
  readonly options: ScheduleOptions
}

const OPTIONS = ['start', 'end', 'limit', 'jitter', 'missed', 'overlap']

/**
 * A schedule that a worker declares: it is stored when the worker starts, and changed when its definition has.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 * @example
 * app.worker({ tasks: [report], schedules: [schedule('nightly', cron('0 3 * * *'), report.with({}))] })
 */
export function schedule<P extends Part>(
  name: string,
  when: Recurrence,
  part: P & Complete<P>,
  options: ScheduleOptions = {},
): ScheduleDefinition {
  const value: DefinitionValue = { kind: 'schedule', name: checkScheduleName(name), when, part, options }
  ruleOf(when)
  checkScheduleOptions(options)
  partOf(part)
  return Object.freeze(value) as unknown as ScheduleDefinition
}

/**
 * @throws UsageError INVALID_OPTION
 */
export function checkScheduleName(name: unknown): string {
  const checked = checkName(name, "the schedule's name")
  if (/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._:-]*$/u.test(checked)) return checked
  throw invalid("the schedule's name", 'made of letters, digits, spaces and . _ : -', name)
}

/** What a plan is made of, beside name, rule and options. */
export interface PlanSetting {
  readonly app: Settings
  readonly payloadLimit: number
  readonly check: (definition: Definition, input: unknown) => void
}

/**
 * Check and compile all that a schedule says.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION, and those of `enqueue`
 */
export function planOf({ when, part, options }: DefinitionValue, setting: PlanSetting): Plan {
  const value = partOf(part)
  const submission = compile(value, { ...setting, id: MARKER, call: NONE })
  const dated = submission.jobs.find(({ due }) => due && 'at' in due)
  if (dated) {
    throw new UsageError(
      'INVALID_OPTION',
      `The task "${dated.task}" has a time to start (at), and a schedule gives it one: use delay.`,
    )
  }
  return {
    rule: { ...ruleOf(when) },
    work: JSON.stringify(submission),
    title: titleOf(value),
    ...checkScheduleOptions(options),
  }
}

/** Flows are told by their form: `chain of 3`, `group of 10`. */
function titleOf(part: PartValue): string {
  if (part.kind === 'signature') return part.task
  return part.kind === 'chain' ? `chain of ${part.steps.length}` : `group of ${part.members.length}`
}

function checkScheduleOptions(options: ScheduleOptions): Omit<Plan, 'rule' | 'work' | 'title'> {
  checkOptions(options, OPTIONS, 'schedule')
  const { start, end, limit, jitter, missed = 'latest', overlap = 'allow' } = options
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw invalid('limit', 'a whole number from 1', limit)
  }
  const from = start === undefined ? undefined : time(start, 'start')
  const to = end === undefined ? undefined : time(end, 'end')
  if (from !== undefined && to !== undefined && to < from) throw invalid('end', 'after start', end)
  return {
    ...(from !== undefined && { start: from }),
    ...(to !== undefined && { end: to }),
    ...(limit !== undefined && { limit }),
    ...(jitter !== undefined && { jitter: millis(jitter, 'jitter') }),
    missed: oneOf(missed, ['skip', 'latest', 'all'], 'missed'),
    overlap: oneOf(overlap, ['allow', 'skip', 'queue'], 'overlap'),
  }
}

function oneOf<T extends string>(value: T, known: readonly T[], name: string): T {
  if (known.includes(value)) return value
  throw invalid(name, `one of ${known.join(', ')}`, value)
}

function time(value: unknown, name: string): EpochMillis {
  const at = value instanceof Date ? value.getTime() : value
  if (typeof at === 'number' && at >= 0 && at <= 8.64e15) return Math.round(at)
  throw invalid(name, 'a valid Date or milliseconds since 1970', value)
}
