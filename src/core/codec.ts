import { UsageError } from '../errors.ts'
import { kindOf } from './kind.ts'
import { explain, MAX_DEPTH, MAX_NAMED, SYMBOLS } from './unserialisable.ts'

/**
 * Values as JSON text and back. What comes out equals what went in for null, booleans, finite numbers
 * (-0 too), strings (lone surrogates too), arrays, plain objects, `undefined` in any place, bigint, Date,
 * Map, Set, Uint8Array and Buffer. An object without prototype arrives as a plain one, a non-enumerable
 * property does not arrive, and what was shared arrives as copies. All else is refused.
 *
 * What JSON lacks is written as an object with the single key `$`: `{"$":["date","2026-01-01T00:00:00.000Z"]}`.
 * An object of the user's that owns a key `$` is written as `{"$":["object",{…}]}`.
 */
export type Tag = readonly [
  'undefined' | 'date' | 'bigint' | 'number' | 'bytes' | 'buffer' | 'map' | 'set' | 'object',
  ...unknown[],
]

/** No quote stands unescaped within a JSON string, so only a tag can match this. */
const MARK = '{"$":['
const PROTO = '__proto__'

/**
 * @param path - what messages call the value, such as `input`
 * @throws UsageError UNSERIALISABLE naming the path of the first value that would not survive;
 * PAYLOAD_TOO_LARGE when the text would be longer than a string can be
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

/** A copy in which JSON keeps everything. */
function tagged(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
      return tag('undefined')
    case 'bigint':
      return tag('bigint', String(value))
    case 'number':
      return Object.is(value, -0) ? tag('number', '-0') : value
    case 'object':
      return value === null ? null : taggedObject(value)
    default:
      return value
  }
}

function taggedObject(value: object): unknown {
  const kind = kindOf(value)
  switch (kind) {
    case 'array':
      return (value as unknown[]).map(tagged)
    case 'date':
      return tag('date', (value as Date).toISOString())
    case 'map':
      return tag(
        'map',
        Array.from(value as Map<unknown, unknown>, (entry) => entry.map(tagged)),
      )
    case 'set':
      return tag('set', Array.from(value as Set<unknown>, tagged))
    case 'bytes':
    case 'buffer': {
      const { buffer, byteOffset, byteLength } = value as Uint8Array
      return tag(kind, Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64'))
    }
    default: {
      const copy: Record<string, unknown> = {}
      for (const key of Object.keys(value)) copy[key] = tagged((value as Record<string, unknown>)[key])
      return Object.hasOwn(copy, '$') ? tag('object', copy) : copy
    }
  }
}

const tag = (...tag: Tag) => ({ $: tag })

/** Puts what the tags stand for into a tree fresh from JSON.parse, in place. */
function revived(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new SyntaxError(`Stored value nested deeper than ${MAX_DEPTH} levels`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revived(value[i], depth + 1)
    return value
  }
  return Object.hasOwn(value, '$') ? untagged(value as { $: unknown }, depth) : revivedFields(value, depth)
}

function revivedFields(value: object, depth: number): unknown {
  const fields = value as Record<string, unknown>
  for (const key of Object.keys(fields)) {
    // JSON.parse made it an own key, but writing to it would set the prototype.
    if (key === '__proto__') throw malformed(key)
    const field = fields[key]
    if (typeof field === 'object' && field !== null) fields[key] = revived(field, depth + 1)
  }
  return fields
}

function untagged(value: { $: unknown }, depth: number): unknown {
  const tag = value.$
  if (!Array.isArray(tag) || Object.keys(value).length !== 1) throw malformed(tag)
  const [kind, content] = tag
  if (tag.length !== (kind === 'undefined' ? 1 : 2)) throw malformed(tag)
  switch (kind) {
    case 'undefined':
      return undefined
    case 'number':
      if (content === '-0') return -0
      break
    case 'bigint':
      if (typeof content === 'string' && /^-?\d+$/.test(content)) return BigInt(content)
      break
    case 'date':
      if (typeof content === 'string') return date(content)
      break
    case 'bytes':
      return new Uint8Array(bytes(content))
    case 'buffer':
      return bytes(content)
    case 'map':
      if (Array.isArray(content)) return new Map(content.map((entry) => mapEntry(entry, depth)))
      break
    case 'set':
      if (Array.isArray(content)) return new Set(content.map((item) => revived(item, depth + 1)))
      break
    case 'object':
      if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
        return revivedFields(content, depth)
      }
  }
  throw malformed(tag)
}

function mapEntry(entry: unknown, depth: number): [unknown, unknown] {
  if (!Array.isArray(entry) || entry.length !== 2) throw malformed(entry)
  return [revived(entry[0], depth + 1), revived(entry[1], depth + 1)]
}

function date(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || date.toISOString() !== text) throw malformed(text)
  return date
}

function bytes(text: unknown): Buffer {
  if (typeof text !== 'string') throw malformed(text)
  const buffer = Buffer.from(text, 'base64')
  // Node skips what is no base64; then fewer bytes come out than the length of the text stands for.
  if (text.length % 4 !== 0 || buffer.length !== Buffer.byteLength(text, 'base64')) throw malformed(text)
  return buffer
}

const malformed = (what: unknown) =>
  new SyntaxError(`Malformed tag in a stored value: ${JSON.stringify(what)?.slice(0, 60)}`)
