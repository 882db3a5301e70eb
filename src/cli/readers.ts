import { isAbsolute, resolve } from 'node:path'
import { type RetryOptions, type RunOptions, UsageError, type WorkerOptions } from '../index.ts'
import { hint } from './suggest.ts'

/**
 * How each kind of option is read: from the text of a flag or a variable, or from the value in a
 * configuration file. What is a matter of range is left to the library, which checks it again.
 *
 * @param where - what the message calls it: `--concurrency`, `MILLRACE_CONCURRENCY`
 * @param folder - what relative paths are relative to
 */
export type Reader<T> = (given: unknown, where: string, folder: string) => T

export const invalid = (where: string, expected: string, given: unknown): UsageError =>
  new UsageError('INVALID_OPTION', `Expected ${where} to be ${expected}, got ${JSON.stringify(given)}.`)

export const text: Reader<string> = (given, where) => {
  if (typeof given === 'string' && given !== '') return given
  throw invalid(where, 'a text that is not empty', given)
}

export const number: Reader<number> = (given, where) => {
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalid(where, 'a number', given)
}

export const duration: Reader<number | string> = (given, where) => {
  if (typeof given === 'number' || (typeof given === 'string' && given !== '')) return given
  throw invalid(where, "a duration such as '30s' or '1h30m'", given)
}

export const optional =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (given, where, folder) =>
    read(given, where, folder)

/** `false`, `none` and `off` switch it off. */
export const timeout: Reader<number | string | false> = (given, where, folder) =>
  given === false || given === 'false' || given === 'none' || given === 'off'
    ? false
    : duration(given, where, folder)

/** Paths as absolute ones; in a text they are separated by commas. */
export const paths: Reader<readonly string[]> = (given, where, folder) => {
  const all = typeof given === 'string' ? given.split(',').map((path) => path.trim()) : given
  if (!Array.isArray(all) || all.length === 0) throw invalid(where, 'a file or several', given)
  return all.map((path) => {
    const name = text(path, where, folder)
    return isAbsolute(name) ? name : resolve(folder, name)
  })
}

/** `mail,thumbs`, or `mail=3,thumbs=1` with weights; one that is left out is 1. */
export const queues: Reader<WorkerOptions['queues']> = (given, where) => {
  if (Array.isArray(given)) return given
  if (typeof given === 'object' && given !== null) return given as Record<string, number>
  const names = text(given, where, '').split(',')
  const [slip] = names.map((name) => /^\s*([^=]+):(\d+)\s*$/.exec(name)).filter((found) => found !== null)
  if (slip) {
    const [name, queue, weight] = slip
    throw new UsageError(
      'INVALID_OPTION',
      `Expected ${where} to be names such as mail,thumbs or, weighted, mail=3,thumbs=1, got ${JSON.stringify(given)}. ` +
        `For the weight ${weight} write ${queue}=${weight}; for a queue of that name, ${name.trim()}=1.`,
    )
  }
  if (!names.some((name) => name.includes('='))) return names
  return Object.fromEntries(
    names.map((name) => {
      const [key, weight] = pair(name)
      return [key, weight === undefined ? 1 : number(weight, `${where}: the weight of ${key}`, '')]
    }),
  )
}

/** `5`, or `attempts=5,backoff=fixed,from=1s,to=5m,jitter=false`. */
export const retry: Reader<NonNullable<RunOptions['retry']>> = (given, where) => {
  if (typeof given === 'number' || (typeof given === 'object' && given !== null)) return given as RetryOptions
  const given_ = text(given, where, '')
  if (!given_.includes('=')) return number(given_, where, '')
  const { attempts, jitter, ...rest } = fields(given_, where, ['attempts', 'backoff', 'from', 'to', 'jitter'])
  return {
    ...rest,
    ...(attempts !== undefined && { attempts: number(attempts, `${where}: attempts`, '') }),
    ...(jitter !== undefined && { jitter: boolean(jitter, `${where}: jitter`) }),
  } as RetryOptions
}

/** `1h`, or `succeeded=1h,failed=14d`; `0` keeps nothing. */
export const keep: Reader<NonNullable<RunOptions['keep']>> = (given, where, folder) => {
  if (typeof given === 'object' && given !== null) return given
  if (typeof given !== 'string' || !given.includes('=')) return zeroOr(duration(given, where, folder))
  const { succeeded, failed } = fields(given, where, ['succeeded', 'failed'])
  return {
    ...(succeeded !== undefined && { succeeded: zeroOr(succeeded) }),
    ...(failed !== undefined && { failed: zeroOr(failed) }),
  }
}

/** No unit is needed to say nothing. */
const zeroOr = (length: number | string) => (length === '0' ? 0 : length)

/** A switch: its flag stands alone. */
export const toggle: Reader<boolean> = (given, where) =>
  typeof given === 'boolean' ? given : boolean(text(given, where, ''), where)

/** `2026-01-31T09:00Z`, local without the Z, or milliseconds. */
export const moment: Reader<Date> = (given, where) => {
  const date = new Date(/^\d{5,}$/.test(String(given)) ? Number(given) : String(given))
  if (!Number.isNaN(date.getTime())) return date
  throw invalid(where, 'a time such as 2026-01-31T09:00Z or milliseconds since 1970', given)
}

function boolean(given: string, where: string): boolean {
  if (given === 'true' || given === 'false') return given === 'true'
  throw invalid(where, 'true or false', given)
}

/** `a=1,b=2` with known names. */
function fields(given: string, where: string, known: readonly string[]): Record<string, string> {
  const found = Object.fromEntries(given.split(',').map((part) => pair(part)))
  for (const [name, value] of Object.entries(found)) {
    if (!known.includes(name)) {
      throw new UsageError(
        'UNKNOWN_OPTION',
        `${where} has no part ${JSON.stringify(name)}. ${hint(name, known)}`,
      )
    }
    if (value === undefined) throw invalid(where, `a list such as ${name}=…`, given)
  }
  return found as Record<string, string>
}

/** What stands before and after the last `=`; names of queues may hold one. */
function pair(part: string): [string, string | undefined] {
  const at = part.lastIndexOf('=')
  return at < 0 ? [part.trim(), undefined] : [part.slice(0, at).trim(), part.slice(at + 1).trim()]
}
