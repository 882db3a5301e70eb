/** A value as an error message shows it: short, on one line, with control characters escaped. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
    case 'function':
      return 'a function'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? 'an array' : `${article(className(value))}`
    case 'bigint':
      return `${value}n`
    default:
      return String(value)
  }
}

/** The name of the class that made it; "object" for plain ones. */
export function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null
  const maker = prototype && Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined
  if (typeof maker !== 'function' || maker.name === 'Object') return 'object'
  return maker.name || '(anonymous)'
}

/** One key of a path: `.name`, `[3]`, `["a b"]`. */
export function step(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`
  if (typeof key === 'symbol') return `[${String(key)}]`
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) && key.length <= 60 ? `.${key}` : `[${show(key)}]`
}

const article = (noun: string) => (/^[aeiou]/i.test(noun) ? `an ${noun}` : `a ${noun}`)
