const PACKED = 1

/**
 * A text as it can be bound: the libraries cut one at its first NUL without a word, so a text that holds
 * one is written as a JSON string behind a control character.
 */
export function pack(text: string): string {
  return text.includes('\0') || text.charCodeAt(0) === PACKED
    ? String.fromCharCode(PACKED) + JSON.stringify(text)
    : text
}

/** The text that was packed. */
export function unpack(text: string): string {
  return text.charCodeAt(0) === PACKED ? (JSON.parse(text.slice(1)) as string) : text
}
