import { types } from 'node:util'
import { UsageError } from '../errors.ts'
import { kindOf } from './kind.ts'
import { className, show, step } from './show.ts'

/** Objects may be nested so deep. */
export const MAX_DEPTH = 500

/**
 * In longer arrays named properties are not looked for: it would take longer than all the rest, and what
 * has some (the result of a RegExp match) is short.
 */
export const MAX_NAMED = 1000

export const SYMBOLS = Object.getOwnPropertySymbols

/**
 * The error for the first value that does not survive serialisation, with its path. It walks again what
 * the encoder has walked, in the same order, so that the encoder need not keep track of paths.
 */
export function explain(value: unknown, path: string): UsageError {
  return walk(value, path, []) ?? refusal(path, 'changes while it is being read', 'Send plain data.')
}

interface Ancestor {
  readonly value: object
  readonly path: string
}

function walk(value: unknown, path: string, above: readonly Ancestor[]): UsageError | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value)
        ? undefined
        : refusal(path, `is ${value}`, 'Send null or a string instead.')
    case 'function':
      return refusal(path, 'is a function', 'Send data, and let the task do the work.')
    case 'symbol':
      return refusal(path, 'is a symbol', 'Send a string instead.')
    case 'object':
      return value === null ? undefined : walkObject(value, path, above)
    default:
      return undefined
  }
}

function walkObject(value: object, path: string, above: readonly Ancestor[]): UsageError | undefined {
  const same = above.find((ancestor) => ancestor.value === value)
  if (same) return refusal(path, `refers back to ${same.path}`, 'Send an id in the place of the cycle.')
  if (above.length >= MAX_DEPTH) {
    return refusal(path, `is nested deeper than ${MAX_DEPTH} levels`, 'Send a flat list instead.')
  }
  const below = [...above, { value, path }]
  switch (kindOf(value)) {
    case 'object':
      return walkFields(value as Record<string, unknown>, path, below)
    case 'array':
      return walkArray(value as unknown[], path, below)
    case 'date':
      if (Number.isNaN((value as Date).getTime())) {
        return refusal(path, 'is an invalid Date', 'Send a valid Date, or null.')
      }
      return extra(value, path)
    case 'map': {
      let index = 0
      for (const [key, item] of value as Map<unknown, unknown>) {
        const place = typeof key === 'object' ? `.values()[${index}]` : `.get(${show(key)})`
        const fault = walk(key, `${path}.keys()[${index++}]`, below) ?? walk(item, path + place, below)
        if (fault) return fault
      }
      return extra(value, path)
    }
    case 'set': {
      let index = 0
      for (const item of value as Set<unknown>) {
        const fault = walk(item, `${path}.values()[${index++}]`, below)
        if (fault) return fault
      }
      return extra(value, path)
    }
    case 'bytes':
    case 'buffer':
      return undefined
    default:
      return instance(value, path)
  }
}

function walkFields(
  value: Record<string, unknown>,
  path: string,
  below: readonly Ancestor[],
): UsageError | undefined {
  const symbol = SYMBOLS(value)[0]
  if (symbol) return refusal(path, `has the key ${String(symbol)}`, 'Use strings as keys.')
  for (const key of Object.keys(value)) {
    const place = path + step(key)
    if (key === '__proto__') {
      return refusal(place, 'is a key that could change a prototype', 'Rename it.')
    }
    const fault = walk(value[key], place, below)
    if (fault) return fault
  }
  return undefined
}

function walkArray(
  value: readonly unknown[],
  path: string,
  below: readonly Ancestor[],
): UsageError | undefined {
  for (let i = 0; i < value.length; i++) {
    const place = `${path}[${i}]`
    if (!Object.hasOwn(value, i))
      return refusal(place, 'is a hole in a sparse array', 'Send null or undefined.')
    const fault = walk(value[i], place, below)
    if (fault) return fault
  }
  return value.length <= MAX_NAMED ? extra(value, path, value.length) : undefined
}

/** Properties beside the content, which would be lost. */
function extra(value: object, path: string, from = 0): UsageError | undefined {
  const name = Object.keys(value)[from]
  if (name === undefined) return undefined
  return refusal(path, `has the property ${show(name)} beside its content`, 'Send it in a field of its own.')
}

function instance(value: object, path: string): UsageError {
  const name = className(value)
  if (types.isPromise(value)) return refusal(path, 'is a Promise', 'Await it first.')
  if (types.isNativeError(value)) return refusal(path, `is an error (${name})`, 'Send its message.')
  if (types.isRegExp(value)) return refusal(path, 'is a RegExp', 'Send its source.')
  if (types.isAnyArrayBuffer(value)) return refusal(path, `is an ${name}`, 'Send new Uint8Array(it).')
  if (ArrayBuffer.isView(value)) return refusal(path, `is a ${name}`, 'Send Array.from(it), or a Uint8Array.')
  if (types.isBoxedPrimitive(value)) return refusal(path, `is a ${name} object`, 'Send its valueOf().')
  if (name === 'object') return refusal(path, 'has a prototype of its own', 'Send a plain copy: { ...it }.')
  const plain = Array.isArray(value)
    ? '[...it]'
    : types.isMap(value)
      ? 'new Map(it)'
      : types.isSet(value)
        ? 'new Set(it)'
        : types.isDate(value)
          ? 'new Date(it)'
          : value instanceof URL
            ? 'its href'
            : 'toJSON' in value
              ? 'its toJSON()'
              : '{ ...it }'
  return refusal(path, `is an instance of the class ${name}`, `Send plain data, such as ${plain}.`)
}

const refusal = (path: string, fault: string, advice: string) =>
  new UsageError('UNSERIALISABLE', `${path} ${fault}, which would not arrive as it is. ${advice}`, { path })
