import type { Failure } from './failure.ts'

/** What differs from one failure to the next of the same cause: ids, numbers, addresses, what is quoted. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"')]+/gi, '<url>'],
  [/"[^"]*"|'[^']*'|`[^`]*`/g, '<text>'],
  [/\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '<hex>'],
  [/\d+(\.\d+)?/g, '<n>'],
]
/** Of a long message the beginning tells the cause. */
const LONGEST = 300

/** A failure's message without what varies. */
export const pattern = (message: string): string =>
  VARYING.reduce((text, [varying, stands]) => text.replace(varying, stands), message.slice(0, LONGEST))

/**
 * The same for failures of the same cause: of one task, with one code and name, and messages that differ only in
 * ids, numbers, addresses and quoted text. Eight hexadecimal digits.
 */
export function fingerprint(task: string, { code, name, message }: Failure): string {
  // FNV-1a.
  let hash = 0x811c9dc5
  for (const char of [task, code, name, pattern(message)].join('\n')) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}
