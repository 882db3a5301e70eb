import { backoff } from '../../async/backoff.ts'
import { pause } from '../../async/signals.ts'
import type { BackendError } from '../../errors.ts'
import { translate } from './faults.ts'
import type { Channel, Connection } from './library.ts'
import type { Link } from './link.ts'
import type { Settings } from './url.ts'

/** What a channel is for. */
export interface Duty<C extends Channel> {
  readonly open: (connection: Connection) => Promise<C>
  /** Set a fresh channel up; from then on it is in use. */
  readonly serve: (channel: C) => Promise<void>
  /** The channel is no more, and with it all that was unconfirmed or unanswered on it. */
  readonly lost: (channel: C) => void
}

/** A channel that comes back, on whatever connection there is. */
export interface Line {
  /** Resolves once it was set up, or can't be for now; rejects when trying again won't help. */
  readonly first: Promise<void>
  readonly fault: BackendError | undefined
  stop(): Promise<void>
}

export function createLine<C extends Channel>(link: Link, settings: Settings, duty: Duty<C>): Line {
  const stopping = new AbortController()
  const { signal } = stopping
  const retry = backoff(50, 5_000)
  let present: C | undefined
  let fault: BackendError | undefined
  let settle: (fault?: BackendError) => void = () => {}
  const first = new Promise<void>((resolve, reject) => {
    settle = (wrong) => (wrong && !wrong.retryable ? reject(wrong) : resolve())
  })
  // Who doesn't ask sees it in `fault`.
  first.catch(() => {})

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      const connection = await link.connection(signal)
      if (!connection) return
      let opened: C | undefined
      try {
        const channel = await duty.open(connection)
        opened = channel
        const gone = ended(channel)
        present = channel
        await Promise.race([duty.serve(channel), gone.then(refuse)])
        fault = undefined
        retry.reset()
        settle()
        await gone
      } catch (error) {
        fault = translate(error, settings)
        settle(fault)
      }
      present = undefined
      if (opened) {
        duty.lost(opened)
        await opened.close().catch(() => {})
      }
      await pause(retry.next(), signal)
    }
  }
  void loop()

  return {
    first,
    get fault() {
      return fault
    },
    async stop() {
      stopping.abort()
      settle()
      const channel = present
      if (!channel) return
      const answered = new AbortController()
      await Promise.race([channel.close().catch(() => {}), pause(1_000, answered.signal)])
      answered.abort()
    },
  }
}

/** Resolves at the end of a channel, with the error that ended it. */
function ended(channel: Channel): Promise<Error | undefined> {
  let last: Error | undefined
  channel.on('error', (error) => {
    last = error
  })
  return new Promise((resolve) => {
    channel.on('close', () => resolve(last))
  })
}

function refuse(error: Error | undefined): never {
  throw error ?? new Error('the channel was closed')
}
