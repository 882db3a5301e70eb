import type { Backend, ConsumeOptions, Consumer } from './backend.ts'
import type { Delivery } from './delivery.ts'
import type { Millis } from './job.ts'
import type { Diagnosis } from './records.ts'

/**
 * The parts of a joined backend: a broker carries tickets, a store owns the jobs. A ticket is a message that
 * says: one job of this queue waits. Who receives it claims the first of the line, which the store knows; so
 * order, priorities, marks and the fence are the store's, and a ticket too many, an old one, or one in the
 * wrong order is harmless. Losing tickets costs latency only: an idle worker looks for itself now and then.
 */

/** One message. */
export interface Ticket {
  readonly queue: string
  /** The job for which it was sent, for people who look into the broker. */
  readonly id: string
}

/** A ticket that is to be sent. */
export interface Entry extends Ticket {
  /** The store's own. */
  readonly tag: unknown
}

/** Carries tickets from who has work to who has room. */
export interface Broker extends AsyncDisposable {
  /**
   * Resolves once every ticket is confirmed durable; waits, over any number of reconnects, for a broker that is
   * away. Rejects with a {@link BackendError} when it refuses one, and then any of them may have been sent.
   */
  publish(tickets: readonly Ticket[]): Promise<void>
  /** Receive tickets of these queues from now on. `arrived` is called when there are new ones at hand. */
  receive(options: ReceiveOptions): Promise<Receiver>
  /** Reach the broker and report. Rejects with a {@link BackendError} when it can't be reached. */
  diagnose(): Promise<Diagnosis>
}

export interface ReceiveOptions {
  readonly queues: readonly string[]
  /** Tickets at hand at once, at the most, of each queue. */
  readonly prefetch: number
  readonly arrived: () => void
}

/** One worker's tickets. Those that were not answered when it ends, or its process does, go to others. */
export interface Receiver extends AsyncDisposable {
  /** The tickets at hand now. */
  hand(): Hand
  /** Nobody will answer for a while, or somebody will again: give back what is at hand, or receive. */
  rest(resting: boolean): void
}

/** Tickets as they were at hand at one moment; what comes later is not among them. */
export interface Hand {
  readonly size: number
  /** Answer the first `count`: they are not delivered again. Does nothing for those that were lost since. */
  answer(count: number): void
}

/** What a store has for the broker. */
export interface Outbox {
  readonly entries: readonly Entry[]
  /** In how long the next scheduled or retrying job becomes due. */
  readonly nextDue?: Millis
}

/** A native backend that can stand behind a broker. */
export interface Store extends Backend {
  /**
   * Promote what is due; then up to `limit` tickets to send, oldest first: one for each time that a job became
   * waiting. Nobody else gets them for `hold`; then they show again, unless they were `sent`. The first call
   * makes the store keep an outbox, for every process that uses it, beginning with what waits now. It may stop
   * to keep one that was not asked for in an hour.
   */
  outbox(limit: number, hold: Millis): Promise<Outbox>
  /** These are in the broker: forget them. Safe to repeat. */
  sent(entries: readonly Entry[]): Promise<void>
  consume(options: ConsumeOptions): Promise<StoreConsumer>
}

export interface StoreConsumer extends Consumer {
  /** What `take` would hand out now; `[]` when that is nothing. Fewer than `max`: as a rule, no more can be had. */
  claim(max: number): Promise<Delivery[]>
}

/** Whether a backend can stand behind a broker. */
export const isStore = (backend: Backend): backend is Store => 'outbox' in backend
