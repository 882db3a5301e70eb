import type { Millis } from '../../port/index.ts'
import { closed, isAllSentinels, isBroken, messageOf, translate, unavailable } from './faults.ts'
import { type Client, type ClientOptions, loadLibrary } from './library.ts'
import { library, type Script } from './lua/index.ts'
import type { Settings } from './settings.ts'
import type { Address } from './url.ts'

export type Argument = string | number

/** One connection, which comes back by itself. */
export interface Line {
  readonly client: Client
  /** Host and port, for messages. */
  readonly server: string
  /** Of a node of a Cluster. */
  readonly address?: Address
  /** The client, once the connection stands; rejects when it does not within so long, or can't at all. */
  ready(patience: Millis): Promise<Client>
  /** Run a script, once; rejects with whatever the client or the server says. */
  call(script: Script, args: Argument[]): Promise<unknown>
  close(): void
}

/** How long the server may be silent while it owes an answer, before the connection counts as dead. */
const SILENCE = 5_000
const TICK = 1_000
/** The longest pause between two tries to connect. */
const LONGEST_RETRY = 2_000
/** How often a server that reads its files is asked whether it is done. What it guesses itself may be hours off. */
const LOADING_RETRY = 100

const clientOptions = ({ kind, hosts, master, connection }: Settings, host?: Address): ClientOptions => {
  const { tls } = connection
  const at = host ?? hosts[0]!
  return {
    ...connection,
    ...(kind === 'sentinel' && !host ? { sentinels: [...hosts], name: master! } : at),
    ...(tls !== undefined && kind !== 'sentinel' && { tls: { servername: at.host, ...(tls as object) } }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: SILENCE,
    sentinelCommandTimeout: SILENCE,
    keepAlive: SILENCE,
    // What was under way when a connection broke is ours to send again: it may have been carried out.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // The client's own attempt would reject unheard, should the connection break again.
    autoResubscribe: false,
    // At once: it is rejected as the connection breaks.
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: LOADING_RETRY,
    disableClientInfo: true,
    retryStrategy: pauseBefore,
    sentinelRetryStrategy: pauseBefore,
    reconnectOnError: null,
    stringNumbers: false,
    enableAutoPipelining: false,
  } as ClientOptions
}

const pauseBefore = (times: number): Millis =>
  Math.min(50 * 2 ** Math.min(times - 1, 10), LONGEST_RETRY) * (0.5 + Math.random() / 2)

/** A connection to the one server, to whichever Sentinels call the master, or to this node of a Cluster. */
export async function createLine(settings: Settings, host?: Address): Promise<Line> {
  const { Redis } = await loadLibrary()
  const server = host ? `${host.host}:${host.port}` : settings.server
  const client = new Redis(clientOptions(settings, host))
  let over = false
  let fault: unknown
  let loading: Promise<boolean> | undefined
  /** This server can't have our library: its functions run as scripts, at about 15 µs more a call. */
  let refused = false
  const waiting = new Set<() => void>()
  const tellAll = () => {
    for (const look of [...waiting]) look()
  }
  const note = (error: unknown) => {
    // That no Sentinel helped says less than why the last one did not.
    if (!fault || !isAllSentinels(error)) fault = error
    tellAll()
  }
  // Unheard, it would end the process.
  client.on('error', note)
  client.on('sentinelError', note)
  client.on('ready', () => {
    fault = undefined
    refused = false
    tellAll()
  })
  // An attempt that was cut short: those who wait need another.
  client.on('end', () => {
    if (!over && waiting.size > 0) setTimeout(connect, pauseBefore(1))
  })
  const unwatch = watch(client)

  function connect(): void {
    if (!over && (client.status === 'wait' || client.status === 'end')) client.connect().catch(() => {})
  }

  function ready(patience: Millis): Promise<Client> {
    if (over) return Promise.reject(closed(server))
    if (client.status === 'ready') return Promise.resolve(client)
    connect()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(fault ? translateFault() : unavailable(server))),
        patience,
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

  /** Whether the server took the library, once for all who found it missing at the same time. */
  function load(): Promise<boolean> {
    loading ??= client
      .call('FUNCTION', ['LOAD', 'REPLACE', library])
      .then(
        () => true,
        (error) => {
          if (lacksFunctions(error) || messageOf(error).startsWith('OOM')) return false
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
    server,
    ...(host && { address: host }),
    ready,
    async call(script, args) {
      if (refused) return await evaluate(client, script, args)
      try {
        return await client.call('FCALL', [script.name, 1, ...args])
      } catch (error) {
        const missing = /Function not found/.test(messageOf(error))
        if (!missing && !lacksFunctions(error)) throw error
        if (missing && (await load())) return await client.call('FCALL', [script.name, 1, ...args])
        refused = true
        return await evaluate(client, script, args)
      }
    },
    close() {
      if (over) return
      over = true
      unwatch()
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
const lacksFunctions = (error: unknown): boolean =>
  /NOPERM.*'(fcall|function)|unknown command/i.test(messageOf(error))

/** What the client keeps to itself: its socket, and the calls that wait for an answer. */
interface Inside {
  readonly stream?: {
    readonly bytesRead?: number
    readonly bytesWritten?: number
    readonly writableLength?: number
    destroy(): void
  }
  readonly commandQueue: { readonly length: number }
}

/**
 * Cuts a connection on which the server owes an answer and stays silent, be it to the client's own first question:
 * a half-open one tells nobody. One that only listens is asked something now and then.
 */
function watch(client: Client): () => void {
  const inside = client as unknown as Inside
  let heard = performance.now()
  let looked = heard
  let before = 0
  let isOwed = false
  let idle = 0
  const timer = setInterval(() => {
    const { stream, commandQueue } = inside
    // What is still on its way out counts as life: a slow link is not a dead one.
    const moved = (stream?.bytesRead ?? 0) + (stream?.bytesWritten ?? 0) - (stream?.writableLength ?? 0)
    const now = performance.now()
    // Late, it was this process that stood still: what has come is still to be read.
    if (!isOwed || moved !== before || now - looked > 2 * TICK) heard = now
    before = moved
    looked = now
    isOwed = commandQueue.length > 0
    idle = isOwed ? 0 : idle + TICK
    if (isOwed && now - heard > SILENCE) {
      heard = now
      stream?.destroy()
    } else if (idle >= SILENCE && client.status === 'ready') {
      idle = 0
      client.ping().catch(() => {})
    }
  }, TICK).unref()
  return () => clearInterval(timer)
}
