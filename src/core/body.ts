import { UsageError } from '../errors.ts'
import type { Body, Millis } from '../port/index.ts'
import { decode, encode } from './codec.ts'
import type { RetryRule } from './retry.ts'

/** What a job's body says: all that its worker needs and no driver looks at. */
export interface Call {
  /** The input, or with `from` the fields that were bound before. */
  readonly input?: unknown
  /** The join whose value fills the input, or the rest of it. */
  readonly from?: string
  /** How `from` is read: the value of a success (default), or the failure of what went wrong. */
  readonly reads?: 'value' | 'failure'
  readonly retry?: RetryRule
  readonly timeout?: Millis | false
  readonly headers?: Readonly<Record<string, string>>
}

/** The format that is written. This one and the one before it are read. */
const VERSION = '1'

/** The greatest size of one body unless set otherwise: 1 MB. */
export const PAYLOAD_LIMIT = 1_000_000

const hasOptions = (call: Call): boolean => {
  for (const key in call) if (key !== 'input') return true
  return false
}

/**
 * @throws UsageError UNSERIALISABLE, with the path of the value; PAYLOAD_TOO_LARGE
 */
export function packCall(call: Call, limit: number = PAYLOAD_LIMIT): Body {
  const value = encode(call.input, 'input')
  if (!hasOptions(call)) return checkSize(`${VERSION}[${value}]`, limit, 'The input')
  const { input: _, ...options } = call
  return checkSize(`${VERSION}[${value},${encode(options, 'options')}]`, limit, 'The input')
}

/**
 * @throws UsageError INVALID_INPUT when the body is of a format that this version doesn't read, or damaged
 */
export function unpackCall(body: Body): Call {
  if (!body.startsWith(VERSION)) throw unreadable(body)
  let parts: unknown
  try {
    parts = decode(body.slice(1))
  } catch (cause) {
    throw unreadable(body, cause)
  }
  if (!Array.isArray(parts)) throw unreadable(body)
  return parts.length === 1 ? { input: parts[0] } : { ...parts[1], input: parts[0] }
}

/**
 * @throws UsageError UNSERIALISABLE, with the path of the value; PAYLOAD_TOO_LARGE
 */
export const packValue = (value: unknown, path: string, limit: number = PAYLOAD_LIMIT): Body =>
  checkSize(VERSION + encode(value, path), limit, 'The output')

/** The value in a body. */
export function unpackValue(body: Body): unknown {
  if (!body.startsWith(VERSION)) throw unreadable(body)
  return decode(body.slice(1))
}

function checkSize(body: Body, limit: number, what: string): Body {
  // UTF-8 takes at most three bytes for each unit, so most bodies need no counting.
  if (body.length * 3 <= limit) return body
  const size = Buffer.byteLength(body)
  if (size <= limit) return body
  throw new UsageError(
    'PAYLOAD_TOO_LARGE',
    `${what} takes ${size} bytes, and the limit is ${limit}. Store it elsewhere and pass its key, or raise payloadLimit.`,
  )
}

const unreadable = (body: Body, cause?: unknown): UsageError =>
  new UsageError('INVALID_INPUT', `Body of an unknown format: ${JSON.stringify(body.slice(0, 20))}…`, {
    cause,
  })
