import { randomUUID } from 'node:crypto'

let at = 0
let count = 0
let prefix = ''

/**
 * A UUID of version 7 (RFC 9562, section 6.2, method 1): those of one process sort by when they were made,
 * by a counter within the millisecond. 62 bits are random.
 */
export function newId(): string {
  const now = Date.now()
  if (now > at) tick(now)
  else if (++count > 0xfff) tick(at + 1)
  return prefix + (0x1000 + count).toString(16).slice(1) + randomUUID().slice(18)
}

function tick(to: number): void {
  at = to
  count = 0
  const time = at.toString(16).padStart(12, '0')
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`
}
