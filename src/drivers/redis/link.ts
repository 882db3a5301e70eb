import { pause } from '../../async/signals.ts'
import { closed, isBroken, translate, unavailable } from './faults.ts'
import { type Client, type ClientOptions, loadLibrary } from './library.ts'
import { library, type Script } from './lua/index.ts'
import type { Settings } from './url.ts'

export type Argument = string | number

/** One connection, which comes back by itself, and the scripts that run on it. */
export interface Link {
  readonly client: Client
  /**
   * Run a script. A call whose answer is lost is sent again, told so, until the timeout; without `again`, it
   * rejects.
   */
  run(
    script: Script,
    prefix: string,
    args: readonly Argument[],
    again?: (args: readonly Argument[]) => readonly Argument[],
  ): Promise<unknown>
  /** Ask something that is safe to ask again, until there is an answer or the timeout. */
  ask<T>(question: (client: Client) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** How long the server may be silent while it owes an answer, before the connection counts as dead. */
const SILENCE = 5_000
/** The longest pause between two tries to connect. */
const LONGEST_RETRY = 2_000

const clientOptions = ({ host, port, username, password, db, tls }: Settings): ClientOptions => ({
  host,
  port,
  ...(username !== undefined && { username }),
  ...(password !== undefined && { password }),
  ...(tls && { tls }),
  db,
  protocol: 2,
  lazyConnect: true,
  connectTimeout: SILENCE,
  keepAlive: SILENCE,
  // What was under way when a connection broke is ours to send again: it may have been carried out.
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  // The client's own attempt would reject unheard, should the connection break again.
  autoResubscribe: false,
  // At once: it is rejected as the connection breaks.
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
  retryStrategy: (times) =>
    Math.min(50 * 2 ** Math.min(times - 1, 10), LONGEST_RETRY) * (0.5 + Math.random() / 2),
})

export async function createLink(settings: Settings): Promise<Link> {
  const { Redis } = await loadLibrary()
  const { server, timeout } = settings
  const client = new Redis(clientOptions(settings))
  let over = false
  let fault: unknown
  let loading: Promise<boolean> | undefined
  /** This server can't have our library: its functions run as scripts, at about 15 µs more a call. */
  let refused = false
  const waiting = new Set<() => void>()
  const tellAll = () => {
    for (const look of [...waiting]) look()
  }
  // Unheard, it would end the process.
  client.on('error', (error: unknown) => {
    fault = error
    tellAll()
  })
  client.on('ready', () => {
    fault = undefined
    refused = false
    tellAll()
  })
  const watchdog = watch(client)

  /** The client, once the connection stands; rejects when it does not in time. */
  function ready(): Promise<Client> {
    if (over) return Promise.reject(closed(server))
    if (client.status === 'ready') return Promise.resolve(client)
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(() => {})
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(fault ? translateFault() : unavailable(server))),
        timeout,
      )
      function settle(how: () => void) {
        clearTimeout(timer)
        waiting.delete(look)
        how()
      }
      function look() {
        if (over) return settle(() => reject(closed(server)))
        if (client.status === 'ready') return settle(() => resolve(client))
        // What no further try can mend is told at once.
        if (fault && !translateFault().retryable) settle(() => reject(translateFault()))
      }
      waiting.add(look)
    })
  }

  const translateFault = () => (isBroken(fault) ? unavailable(server, fault) : translate(fault, server))

  async function call(script: Script, args: Argument[]): Promise<unknown> {
    const connected = client.status === 'ready' ? client : await ready()
    const done = watchdog.owe()
    try {
      if (refused) return await evaluate(connected, script, args)
      try {
        return await connected.call('FCALL', [script.name, 1, ...args])
      } catch (error) {
        const missing = /Function not found/.test(messageOf(error))
        if (!missing && !isRefused(error)) throw error
        if (missing && (await load(connected)))
          return await connected.call('FCALL', [script.name, 1, ...args])
        refused = true
        return await evaluate(connected, script, args)
      }
    } finally {
      done()
    }
  }

  /** Whether the server took the library, once for all who found it missing at the same time. */
  function load(connected: Client): Promise<boolean> {
    loading ??= connected
      .call('FUNCTION', ['LOAD', 'REPLACE', library])
      .then(
        () => true,
        (error) => {
          if (isRefused(error) || messageOf(error).startsWith('OOM')) return false
          throw error
        },
      )
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  return {
    client,
    async run(script, prefix, args, again) {
      const until = performance.now() + timeout
      let sent: readonly Argument[] = args
      for (let tries = 1; ; tries++) {
        try {
          return await call(script, [prefix, ...sent])
        } catch (error) {
          if (over) throw closed(server)
          if (!isBroken(error) || !again || performance.now() > until) throw translate(error, server)
          sent = again(args)
          await pause(Math.min(20 * 2 ** tries, 500) * (0.5 + Math.random() / 2))
        }
      }
    },
    async ask(question) {
      const until = performance.now() + timeout
      for (;;) {
        try {
          return await question(await ready())
        } catch (error) {
          if (over) throw closed(server)
          if (!isBroken(error) || performance.now() > until) throw translate(error, server)
          await pause(50)
        }
      }
    },
    async close() {
      if (over) return
      over = true
      watchdog.stop()
      tellAll()
      client.disconnect()
    },
  }
}

async function evaluate(client: Client, { sha, text }: Script, args: Argument[]): Promise<unknown> {
  try {
    return await client.call('EVALSHA', [sha, 1, ...args])
  } catch (error) {
    if (!messageOf(error).startsWith('NOSCRIPT')) throw error
    return await client.call('EVAL', [text, 1, ...args])
  }
}

/** This user may not call functions or load them, or this server has none. */
const isRefused = (error: unknown): boolean =>
  /NOPERM.*'(fcall|function)|unknown command/i.test(messageOf(error))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Cuts a connection on which the server owes an answer and stays silent: a half-open one tells nobody. */
function watch(client: Client): { owe(): () => void; stop(): void } {
  let owed = 0
  let heard = performance.now()
  let read = 0
  const timer = setInterval(() => {
    const stream = (
      client as unknown as { stream?: { bytesRead?: number; bytesWritten?: number; writableLength?: number } }
    ).stream
    // What is still on its way out counts as life: a slow link is not a dead one.
    const moved = (stream?.bytesRead ?? 0) + (stream?.bytesWritten ?? 0) - (stream?.writableLength ?? 0)
    const now = performance.now()
    if (owed === 0 || moved !== read) heard = now
    read = moved
    if (owed > 0 && now - heard > SILENCE && client.status === 'ready') {
      heard = now
      client.disconnect(true)
    }
  }, 1_000).unref()
  return {
    owe() {
      owed++
      return () => {
        owed--
        heard = performance.now()
      }
    },
    stop: () => clearInterval(timer),
  }
}
