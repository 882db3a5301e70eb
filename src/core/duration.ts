import { UsageError } from '../errors.ts'
import type { Millis } from '../port/index.ts'
import { show } from './show.ts'

/**
 * A length of time: a number of milliseconds, or a text with units from week to millisecond, the greatest
 * first: `'250ms'`, `'5s'`, `'1.5h'`, `'1h30m'`, `'14d'`, `'1w'`. A minute is `m`; a text without a unit is
 * refused. Whole milliseconds, at least 0 and at most 100 years.
 */
export type Duration = number | string

/** 100 years: added to any date of today's it is still an exact number. */
const LONGEST: Millis = 100 * 365 * 86_400_000

const part = (unit: string) => `(?:(\\d+(?:\\.\\d+)?)${unit})?`
const PATTERN = new RegExp(`^${['w', 'd', 'h', 'm', 's', 'ms'].map(part).join('')}$`)
const UNITS: readonly Millis[] = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1]

/**
 * A duration in whole milliseconds.
 *
 * @param name - what the message calls it, such as `delay` or `retry.from`
 * @throws UsageError INVALID_OPTION when it is no duration, negative, not a number, or beyond 100 years
 */
export function millis(value: Duration, name: string): Millis {
  const exact = typeof value === 'number' ? value : typeof value === 'string' ? parse(value) : Number.NaN
  if (exact >= 0 && exact <= LONGEST) return Math.round(exact)
  throw new UsageError(
    'INVALID_OPTION',
    `Expected ${name} to be ${expected(value, exact)}, got ${show(value)}.`,
  )
}

/** A length of time for people, rounded down to its two greatest units: `1h30m`, `250ms`. */
export function formatMillis(length: Millis): string {
  let rest = Math.max(0, Math.round(length))
  const parts: string[] = []
  for (let i = 0; i < UNITS.length && parts.length < 2; i++) {
    const count = Math.floor(rest / UNITS[i]!)
    rest %= UNITS[i]!
    if (count > 0) parts.push(`${count}${NAMES[i]}`)
    else if (parts.length > 0) break
  }
  return parts.join('') || '0ms'
}

const NAMES = ['w', 'd', 'h', 'm', 's', 'ms']

function parse(text: string): number {
  // The pattern is linear, but there is no sense in running it over a megabyte.
  const found = text.length > 0 && text.length < 100 ? PATTERN.exec(text) : null
  if (!found) return Number.NaN
  return UNITS.reduce(
    (sum, unit, i) => sum + (found[i + 1] === undefined ? 0 : Number(found[i + 1]) * unit),
    0,
  )
}

function expected(value: unknown, exact: number): string {
  if (exact < 0) return 'a duration of 0 or more'
  if (exact > LONGEST) return 'a duration of at most 100 years'
  if (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)) {
    return `a duration with a unit ('${value}ms', '${value}s') or a number of milliseconds`
  }
  return "a duration such as '250ms', '5s', '1h30m' or '14d', or a number of milliseconds"
}
