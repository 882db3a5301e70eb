import type { Ticket } from '../../port/index.ts'

/** The `type` property of our messages. */
export const TYPE = 'millrace.ticket'

/** A ticket as a message's body: JSON, for people who look into a queue. */
export const encode = ({ id }: Ticket): Buffer => Buffer.from(JSON.stringify({ ticket: 1, id }))

/** Whether a message is a ticket. What it says is for people only: the store knows who is first in line. */
export function isTicket(body: Buffer): boolean {
  try {
    const said = JSON.parse(body.toString()) as { ticket?: unknown } | null
    return said?.ticket === 1
  } catch {
    return false
  }
}
