import { types } from 'node:util'

/** The kinds of object that survive serialisation; anything else is refused. */
export type Kind = 'object' | 'array' | 'date' | 'map' | 'set' | 'bytes' | 'buffer'

/**
 * What kind of storable object it is, or `undefined` for an instance of any other class. Objects of
 * another realm (`node:vm`, as some test runners use) count as well, so their prototypes can't simply be
 * compared: the length of the prototype chain tells a subclass from what it extends.
 */
export function kindOf(value: object): Kind | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return 'object'
  if (prototype === Array.prototype && Array.isArray(value)) return 'array'
  const levels = ancestors(value)
  if (levels === 1) return Object.hasOwn(prototype as object, 'isPrototypeOf') ? 'object' : undefined
  if (levels === 2) {
    if (Array.isArray(value)) return 'array'
    if (types.isDate(value)) return 'date'
    if (types.isMap(value)) return 'map'
    if (types.isSet(value)) return 'set'
  }
  if (types.isUint8Array(value)) {
    if (levels === 3) return 'bytes'
    if (levels === 4 && Buffer.isBuffer(value)) return 'buffer'
  }
  return undefined
}

function ancestors(value: object): number {
  let count = 0
  for (let next = Object.getPrototypeOf(value); next !== null && count < 5; count++) {
    next = Object.getPrototypeOf(next)
  }
  return count
}
