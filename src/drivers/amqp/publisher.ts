import { pause } from '../../async/signals.ts'
import { BackendError } from '../../errors.ts'
import type { Ticket } from '../../port/index.ts'
import { closed, translate } from './faults.ts'
import type { Channel, ConfirmChannel, Connection, Message } from './library.ts'
import { createLine } from './line.ts'
import type { Link } from './link.ts'
import { encode, TYPE } from './ticket.ts'
import { REST, type Topology } from './topology.ts'
import type { Settings } from './url.ts'

/** Messages without a confirm at once, at the most. */
const WINDOW = 1_000
/** A message that RabbitMQ refuses is sent so often. */
const TRIES = 3

/** A queue that was refused is tried again after so long. */
const RETRY = 5_000

/** One call to publish, and how many of its messages are not confirmed. */
interface Call {
  left: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Letter {
  readonly ticket: Ticket
  readonly call: Call
  tries: number
}

export interface Publisher {
  publish(tickets: readonly Ticket[]): Promise<void>
  readonly fault: BackendError | undefined
  stop(): Promise<void>
}

/**
 * Sends tickets, each mandatory and confirmed, many at once. What was not confirmed when its channel went is
 * sent again on the next: twice at the worst. A message that comes back had no queue, which is declared anew.
 */
export function createPublisher(link: Link, settings: Settings, topology: Topology): Publisher {
  let connection: Connection
  let channel: ConfirmChannel | undefined
  /** What is known of each queue: there it is, it is being declared, or why it can't be had. */
  let homes = new Map<string, 'declared' | 'declaring' | BackendError>()
  let waiting: Letter[] = []
  const unconfirmed = new Map<string, Letter>()
  const returned = new Set<string>()
  /** Queues that were deleted underneath. */
  const gone = new Set<string>()
  let serial = 0
  let stopped = false

  const line = createLine<ConfirmChannel>(link, settings, {
    open(present) {
      connection = present
      return present.createConfirmChannel()
    },
    async serve(fresh) {
      fresh.on('return', (message: Message) => returned.add(message.properties.messageId as string))
      channel = fresh
      homes = new Map()
      pump()
    },
    lost(old) {
      if (channel === old) channel = undefined
      waiting = [...unconfirmed.values(), ...waiting]
      unconfirmed.clear()
      returned.clear()
    },
  })

  /** Send what has a queue; what waits for one keeps nobody else waiting. */
  function pump(): void {
    if (!channel) return
    const held: Letter[] = []
    let at = 0
    for (; at < waiting.length && unconfirmed.size < WINDOW; at++) {
      const letter = waiting[at]!
      const { queue } = letter.ticket
      const home = homes.get(queue)
      if (home === 'declared') send(channel, letter)
      else if (home instanceof BackendError) letter.call.reject(home)
      else {
        held.push(letter)
        if (!home) void declare(channel, queue)
      }
    }
    waiting = [...held, ...waiting.slice(at)]
  }

  /** On a channel of its own: a refusal ends it, and a declaration without an answer stops it. */
  async function declare(on: ConfirmChannel, queue: string): Promise<void> {
    homes.set(queue, 'declaring')
    let own: Channel | undefined
    try {
      if (gone.delete(queue)) await pause(REST)
      own = await connection.createChannel()
      // The call in hand rejects with it.
      own.on('error', () => {})
      await topology.declare(own, queue)
      if (on === channel) homes.set(queue, 'declared')
    } catch (error) {
      const fault = translate(error, settings)
      // As a rule the connection is gone, and the next one declares all.
      if (fault.retryable) await pause(REST)
      if (on === channel) homes.set(queue, fault)
    }
    if (on === channel) pump()
    await own?.close().catch(() => {})
    if (on !== channel || homes.get(queue) === 'declared') return
    await pause(RETRY)
    if (on === channel) homes.delete(queue)
  }

  function send(on: ConfirmChannel, letter: Letter): void {
    const id = String(++serial)
    unconfirmed.set(id, letter)
    const options = {
      mandatory: true,
      persistent: true,
      messageId: id,
      type: TYPE,
      contentType: 'application/json',
    }
    try {
      on.publish('', topology.queue(letter.ticket.queue), encode(letter.ticket), options, (error) =>
        confirmed(on, id, error as Error | null),
      )
    } catch {
      // The channel has just ended; `lost` puts the letter back.
    }
  }

  function confirmed(on: ConfirmChannel, id: string, error: Error | null): void {
    const letter = unconfirmed.get(id)
    if (on !== channel || !letter || (error && error.message !== 'message nacked')) return
    unconfirmed.delete(id)
    const homeless = returned.delete(id)
    if (!error && !homeless) {
      if (--letter.call.left === 0) letter.call.resolve()
    } else {
      if (homeless) {
        homes.delete(letter.ticket.queue)
        gone.add(letter.ticket.queue)
      }
      letter.tries++
      if (letter.tries < TRIES) waiting.push(letter)
      else letter.call.reject(refusal(letter, homeless, settings))
    }
    if (waiting.length > 0) pump()
  }

  return {
    publish: (tickets) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(closed(settings))
        if (tickets.length === 0) return resolve()
        const call: Call = { left: tickets.length, resolve, reject }
        for (const ticket of tickets) waiting.push({ ticket, call, tries: 0 })
        pump()
      }),
    get fault() {
      return line.fault
    },
    async stop() {
      stopped = true
      await line.stop()
      for (const { call } of [...unconfirmed.values(), ...waiting]) call.reject(closed(settings))
      waiting = []
      unconfirmed.clear()
    },
  }
}

function refusal({ ticket }: Letter, homeless: boolean, { server }: Settings): BackendError {
  const why = homeless ? 'its queue is gone as often as it is declared' : 'the queue is full or short of disk'
  return new BackendError(
    'BACKEND_FULL',
    `RabbitMQ at ${server} refused messages for the queue "${ticket.queue}": ${why}. They are sent again later.`,
    { retryable: true },
  )
}
