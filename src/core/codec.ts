import { UsageError } from '../errors.ts'
import { kindOf } from './kind.ts'
import { revived, tagged } from './tags.ts'
import { explain, MAX_DEPTH, MAX_NAMED, SYMBOLS } from './unserialisable.ts'

/** No quote stands unescaped within a JSON string, so only a tag can match this. */
const MARK = '{"$":['
const PROTO = '__proto__'

/**
 * A value as JSON text. What {@link decode} makes of it equals what went in for null, booleans, finite
 * numbers (-0 too), strings (lone surrogates too), arrays, plain objects, `undefined` in any place, bigint,
 * Date, Map, Set, Uint8Array and Buffer. An object without prototype arrives as a plain one, a
 * non-enumerable property does not arrive, and what was shared arrives as copies. All else is refused. See
 * `tags.ts` for how what JSON lacks is written.
 *
 * @param path - what messages call the value, such as `input`
 * @throws UsageError UNSERIALISABLE naming the path of the first value that would not survive;
 * PAYLOAD_TOO_LARGE when the text would be longer than a string can be
 *
 * @example
 * serialise({ due: new Date(0) }, 'reminder')   // {"due":{"$":["date","1970-01-01T00:00:00.000Z"]}}
 */
export function encode(value: unknown, path: string): string {
  valuesLeft = MAX_VALUES
  const found = survey(value, 0)
  if (found === REFUSED) {
    if (valuesLeft < 0) throw tooLarge(path)
    throw explain(value, path)
  }
  try {
    return JSON.stringify(found === PLAIN ? value : tagged(value))
  } catch (cause) {
    if (cause instanceof RangeError && cause.message.includes('string length')) throw tooLarge(path)
    throw cause
  }
}

/**
 * The value of a text that {@link encode} made.
 *
 * @throws SyntaxError when it is no JSON, or a tag in it is malformed
 *
 * @example
 * deserialise('{"due":{"$":["date","1970-01-01T00:00:00.000Z"]}}')   // { due: new Date(0) }
 */
export function decode(text: string): unknown {
  const value: unknown = JSON.parse(text)
  // The search for a rare character is the fast one, so it goes first.
  const walk = (text.includes('$') && text.includes(MARK)) || text.includes(PROTO)
  return walk ? revived(value, 0) : value
}

const PLAIN = 0
const TAGGED = 1
const REFUSED = 2
type Found = typeof PLAIN | typeof TAGGED | typeof REFUSED

/** References may be shared, so a small object can hold endless values; this many is beyond any limit. */
const MAX_VALUES = 50_000_000
let valuesLeft = 0

const tooLarge = (path: string) =>
  new UsageError('PAYLOAD_TOO_LARGE', `${path} is too large to be stored at all.`, { path })

/** Whether JSON keeps the value as it is. It allocates next to nothing, and it stops at the first fault. */
function survey(value: unknown, depth: number): Found {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return PLAIN
    case 'number':
      if (!Number.isFinite(value)) return REFUSED
      return Object.is(value, -0) ? TAGGED : PLAIN
    case 'object':
      return value === null ? PLAIN : surveyObject(value, depth)
    case 'undefined':
    case 'bigint':
      return TAGGED
    default:
      return REFUSED
  }
}

function surveyObject(value: object, depth: number): Found {
  // A cycle ends here as well; explain() tells it from mere depth.
  if (depth >= MAX_DEPTH || --valuesLeft < 0) return REFUSED
  switch (kindOf(value)) {
    case 'object':
      return surveyFields(value as Record<string, unknown>, depth)
    case 'array':
      return surveyArray(value as unknown[], depth)
    case 'date':
      return named(value) || Number.isNaN((value as Date).getTime()) ? REFUSED : TAGGED
    case 'map':
      if (named(value)) return REFUSED
      for (const [key, item] of value as Map<unknown, unknown>) {
        if (survey(key, depth + 1) === REFUSED || survey(item, depth + 1) === REFUSED) return REFUSED
      }
      return TAGGED
    case 'set':
      if (named(value)) return REFUSED
      for (const item of value as Set<unknown>) if (survey(item, depth + 1) === REFUSED) return REFUSED
      return TAGGED
    case 'bytes':
    case 'buffer':
      return TAGGED
    default:
      return REFUSED
  }
}

function surveyFields(value: Record<string, unknown>, depth: number): Found {
  let all: Found = SYMBOLS(value).length > 0 ? REFUSED : PLAIN
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue
    if (key === '__proto__') return REFUSED
    const found = survey(value[key], depth + 1)
    if (found > all) all = found
    if (all === REFUSED) return REFUSED
    if (key === '$') all = TAGGED
  }
  return all
}

function surveyArray(value: readonly unknown[], depth: number): Found {
  let all: Found = PLAIN
  const size = value.length
  valuesLeft -= size
  if (valuesLeft < 0) return REFUSED
  for (let i = 0; i < size; i++) {
    const item = value[i]
    if (item === undefined && !Object.hasOwn(value, i)) return REFUSED
    const found = survey(item, depth + 1)
    if (found > all) all = found
    if (all === REFUSED) return REFUSED
  }
  return size <= MAX_NAMED && Object.keys(value).length !== size ? REFUSED : all
}

const named = (value: object): boolean => Object.keys(value).length > 0
