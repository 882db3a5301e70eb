import { UsageError } from '../errors.ts'
import { MAX_PRIORITY } from '../port/index.ts'
import { nearest } from './nearest.ts'
import { show } from './show.ts'

/** The longest id, and the longest name of a task or a queue, in UTF-16 units. */
export const LONGEST_NAME = 200

/**
 * Refuse what is not an object of known options.
 *
 * @param where - the call, as the message names it: `task "add"`, `enqueue`
 * @throws UsageError UNKNOWN_OPTION with the nearest known name; INVALID_OPTION when it is no plain object
 */
export function checkOptions(given: unknown, known: readonly string[], where: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError(
      'INVALID_OPTION',
      `Expected the options of ${where} to be an object, got ${show(given)}.`,
    )
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant ? `Did you mean ${show(meant)}?` : `Known are: ${known.join(', ')}.`
    throw new UsageError('UNKNOWN_OPTION', `${where} has no option ${show(name)}. ${hint}`)
  }
}

/** A call with a wrong option: what was expected, and what came. */
export const invalid = (name: string, expected: string, got: unknown): UsageError =>
  new UsageError('INVALID_OPTION', `Expected ${name} to be ${expected}, got ${show(got)}.`)

/** Control characters, line separators, and halves of surrogate pairs, which don't survive UTF-8. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u

/**
 * A custom id, as given. `/` and `@` are kept for the ids that Millrace makes: `<flow>/<step>`,
 * `<schedule>@<time>`.
 *
 * @throws UsageError INVALID_ID
 */
export function checkId(id: unknown): string {
  const fault = faultOf(id) ?? (/[/@]/.test(id as string) ? 'without "/" and "@"' : undefined)
  if (fault) throw new UsageError('INVALID_ID', `Expected id to be ${fault}, got ${show(id)}.`)
  return id as string
}

/**
 * The name of a task or a queue, as given.
 *
 * @param what - as the message names it: `the task's name`, `queue`
 * @throws UsageError INVALID_OPTION
 */
export function checkName(name: unknown, what: string): string {
  const fault =
    faultOf(name) ?? (/^\s|\s$|,/.test(name as string) ? 'without commas and outer spaces' : undefined)
  if (fault) throw invalid(what, fault, name)
  return name as string
}

/** @throws UsageError INVALID_OPTION */
export function checkPriority(priority: unknown, name = 'priority'): number {
  if (Number.isInteger(priority) && (priority as number) >= 0 && (priority as number) <= MAX_PRIORITY) {
    return (priority as number) + 0
  }
  throw invalid(name, `a whole number from 0 to ${MAX_PRIORITY}`, priority)
}

/** @throws UsageError INVALID_OPTION */
export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(name, 'true or false', value)
}

function faultOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'a string'
  if (text === '') return 'a string that is not empty'
  if (text.length > LONGEST_NAME) return `at most ${LONGEST_NAME} characters long`
  if (UNPRINTABLE.test(text)) return 'without control characters and line breaks'
  return undefined
}
