/**
 * What could steer a terminal or reorder what it shows: control characters (C1 too), line and paragraph
 * separators, marks of writing direction, halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Data as one line that can be sent to a terminal: what could steer it is shown, not sent. */
export const visible = (text: string): string => text.replace(UNSAFE, escaped)

/** The same for a text of several lines, which it keeps. */
export const visibleLines = (text: string): string =>
  text.replace(UNSAFE, (char) => (char === '\n' ? char : escaped(char)))

/** JSON that can be sent to a terminal; it means the same. JSON itself escapes only a part of them. */
export const visibleJson = (json: string): string =>
  json.replace(UNSAFE, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

function escaped(char: string): string {
  const code = char.charCodeAt(0)
  return SHORT[char] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

const graphemes = new Intl.Segmenter()
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

/** Columns of a terminal that a text takes which {@link visible} has passed. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let columns = 0
  for (const { segment } of graphemes.segment(text)) columns += columnsOf(segment)
  return columns
}

/** At most so many columns of a text; what was cut ends in `…`. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let kept = ''
  let room = columns - 1
  for (const { segment } of graphemes.segment(text)) {
    room -= columnsOf(segment)
    if (room < 0) break
    kept += segment
  }
  return `${kept}…`
}

const columnsOf = (grapheme: string): number =>
  /^[\p{M}\u200b-\u200d]+$/u.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1
