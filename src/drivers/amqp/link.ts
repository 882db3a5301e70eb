import { backoff } from '../../async/backoff.ts'
import { pause } from '../../async/signals.ts'
import type { BackendError } from '../../errors.ts'
import type { Millis } from '../../port/index.ts'
import { closed, translate } from './faults.ts'
import type { Connection, Library } from './library.ts'
import type { Settings } from './url.ts'

/** A connection that comes back. */
export interface Link {
  /** The connection, as soon as there is one; `undefined` at the abort. */
  connection(signal: AbortSignal): Promise<Connection | undefined>
  /** Resolves once connected; rejects with what is wrong once every host was tried, at the latest after `patience`. */
  ready(patience: Millis): Promise<Connection>
  /** Why RabbitMQ takes no messages just now: it is short of memory or disk. */
  readonly blocked: string | undefined
  close(): Promise<void>
}

/** One attempt to connect, handshake included. */
const CONNECT_TIMEOUT: Millis = 4_000

/**
 * Connects, and connects again for ever: to the hosts in turn, with growing pauses and jitter, so that a
 * broker that comes back isn't met by all at once.
 */
export function createLink(library: Library, settings: Settings, purpose: string): Link {
  const stopping = new AbortController()
  const { signal } = stopping
  const retry = backoff(100, 5_000)
  let present: Connection | undefined
  let fault: BackendError | undefined
  let blocked: string | undefined
  let next = Math.floor(Math.random() * settings.hosts.length)
  /** Attempts that failed since there was a connection. */
  let tried = 0
  let waiting: (() => void)[] = []

  function tell(): void {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }

  function dial(): Promise<Connection> {
    const { protocol, username, password, vhost, heartbeat, tls } = settings
    const host = settings.hosts[next++ % settings.hosts.length]!
    return library.connect(
      { protocol, ...host, username, password, vhost: encodeURIComponent(vhost), heartbeat },
      {
        ...(protocol === 'amqps' && tls),
        noDelay: true,
        timeout: CONNECT_TIMEOUT,
        clientProperties: { connection_name: `millrace ${purpose} (process ${process.pid})` },
      },
    )
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      try {
        const connection = await dial()
        const gone = ended(connection)
        if (signal.aborted) await connection.close().catch(() => {})
        else {
          present = connection
          fault = undefined
          tried = 0
          tell()
          const since = performance.now()
          const error = await gone
          present = undefined
          blocked = undefined
          fault = translate(error ?? new Error('the connection was closed'), settings)
          // One that is cut at once is no better than one that wasn't made.
          if (performance.now() - since > 1_000) retry.reset()
        }
      } catch (error) {
        fault = translate(error, settings)
        tried++
      }
      tell()
      await pause(retry.next(), signal)
    }
  }

  /** Resolves at the end of a connection. Until then its errors are ours, so that none is unhandled. */
  function ended(connection: Connection): Promise<Error | undefined> {
    let last: Error | undefined
    connection.on('error', (error) => {
      last = error
    })
    connection.on('blocked', (reason) => {
      blocked = reason
    })
    connection.on('unblocked', () => {
      blocked = undefined
    })
    return new Promise((resolve) => {
      connection.on('close', (error) => resolve(last ?? error))
    })
  }

  const change = (until: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        until.removeEventListener('abort', done)
        resolve()
      }
      waiting.push(done)
      until.addEventListener('abort', done)
    })

  void loop()

  return {
    async connection(until) {
      while (!present && !until.aborted && !signal.aborted) await change(until)
      return until.aborted || signal.aborted ? undefined : present
    },
    async ready(patience) {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), patience)
      try {
        for (;;) {
          if (signal.aborted) throw closed(settings)
          if (present) return present
          if (fault && (!fault.retryable || tried >= settings.hosts.length)) throw fault
          if (late.signal.aborted)
            throw fault ?? translate(new Error(`no answer in ${patience} ms`), settings)
          await change(late.signal)
        }
      } finally {
        clearTimeout(timer)
      }
    },
    get blocked() {
      return blocked
    },
    async close() {
      stopping.abort()
      tell()
      const connection = present
      if (!connection) return
      // A broker that hangs may never answer.
      const answered = new AbortController()
      await Promise.race([connection.close().catch(() => {}), pause(1_000, answered.signal)])
      answered.abort()
    },
  }
}
