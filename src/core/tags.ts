import { kindOf } from './kind.ts'
import { MAX_DEPTH } from './unserialisable.ts'

/**
 * What JSON lacks is written as an object with the single key `$`: `{"$":["date","2026-01-01T00:00:00.000Z"]}`.
 * An object of the user's that owns a key `$` is written as `{"$":["object",{…}]}`.
 */
export type Tag = readonly [
  'undefined' | 'date' | 'bigint' | 'number' | 'bytes' | 'buffer' | 'map' | 'set' | 'object',
  ...unknown[],
]

/** A copy in which JSON keeps everything. */
export function tagged(value: unknown): unknown {
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
export function revived(value: unknown, depth: number): unknown {
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
