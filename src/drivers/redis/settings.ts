import { UsageError } from '../../errors.ts'
import type { Millis } from '../../port/index.ts'
import { type Address, addressOf, readUrl, type Said } from './url.ts'

/** Where the jobs are kept: one of `url`, `sentinels`, `nodes` and `client`; else a Redis on this machine. */
export interface RedisOptions {
  /**
   * `redis://user:password@host:6379/0`, `redis+sentinel://host1:26379,host2:26379/<master name>/0` or
   * `redis+cluster://host1:6379,host2:6379`; `rediss` in the place of `redis` is TLS.
   */
  readonly url?: string
  /** Sentinels, of which one that answers is enough. `name` is what they call the master. */
  readonly sentinels?: readonly (Address | string)[]
  readonly name?: string
  /** Nodes of a Cluster, of which one that answers is enough. */
  readonly nodes?: readonly (Address | string)[]
  /**
   * A client of ioredis, `Redis` or `Cluster`: connections of our own are made with its options, and it is
   * never used or closed itself.
   */
  readonly client?: object
  readonly username?: string
  readonly password?: string
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
  /** The database's number; a Cluster has but one. */
  readonly db?: number
  /**
   * One separate set of queues in a Redis: it begins the name of every key.
   * @defaultValue 'millrace'
   */
  readonly namespace?: string
  /**
   * How many parts the namespace has, to be spread over a Cluster's nodes. It is fixed by the first who
   * connects; another number is refused.
   * @defaultValue 1
   */
  readonly shards?: number
  /**
   * How long a call waits for a Redis that can't be reached, in milliseconds, before it rejects with
   * `BACKEND_UNAVAILABLE`.
   * @defaultValue 8000
   */
  readonly timeout?: Millis
  /** Certificates and the like, as Node's `tls.connect` takes them; `true` for none of one's own. */
  readonly tls?: boolean | Readonly<Record<string, unknown>>
}

/** The options, checked and complete. */
export interface Settings {
  /** One server, Sentinels that know it, or some nodes of a Cluster. */
  readonly kind: Said['kind']
  readonly hosts: readonly Address[]
  readonly master: string | undefined
  /** As the client library takes them: user, password, database, TLS, and what a given client brought along. */
  readonly connection: Readonly<Record<string, unknown>>
  readonly namespace: string
  readonly shards: number
  readonly timeout: Millis
  /** Hosts and ports, for messages. */
  readonly server: string
}

const MOST_SHARDS = 64

/** The options, if they are right. Throws `BAD_URL`, `UNKNOWN_OPTION` and `INVALID_OPTION`. */
export function check(given: RedisOptions): Settings {
  const places = (['url', 'sentinels', 'nodes', 'client'] as const).filter((key) => given[key] !== undefined)
  if (places.length > 1) throw invalid(`one of ${places.join(', ')}`, 'given, not several')
  const own = given.client === undefined ? undefined : ofClient(given.client)
  const said = own?.said ?? (given.url === undefined ? ofObject(given) : readUrl(given.url))
  const { kind, hosts, query } = said
  const namespace = given.namespace ?? query.get('namespace') ?? 'millrace'
  if (typeof namespace !== 'string' || !/^[^{}#\s\p{Cc}]{1,100}$/u.test(namespace)) {
    throw invalid('"namespace"', 'a name without spaces, braces and "#"', namespace)
  }
  const timeout = given.timeout ?? numberOf(query.get('timeout')) ?? 8000
  if (!Number.isFinite(timeout) || timeout < 0)
    throw invalid('"timeout"', 'milliseconds such as 8000', timeout)
  const shards = given.shards ?? numberOf(query.get('shards')) ?? 1
  if (!Number.isInteger(shards) || shards < 1 || shards > MOST_SHARDS)
    throw invalid('"shards"', `a number from 1 to ${MOST_SHARDS}`, shards)
  const db = given.db ?? said.db ?? 0
  if (!Number.isInteger(db) || db < 0) throw invalid('"db"', 'the number of a database', db)
  if (kind === 'cluster' && db !== 0) throw invalid('"db"', '0, which is all that a Cluster has', db)
  if (kind !== 'sentinel') {
    for (const key of ['name', 'sentinelUsername', 'sentinelPassword'] as const)
      if (given[key] !== undefined) throw invalid(`"${key}"`, 'given with "sentinels" only')
  }
  const tls = own ? undefined : tlsOf(given, said)
  return {
    kind,
    hosts,
    master: said.master,
    connection: {
      ...own?.options,
      ...defined({
        username: given.username ?? said.username,
        password: given.password ?? said.password,
        sentinelUsername: given.sentinelUsername ?? query.get('sentinelUsername'),
        sentinelPassword: given.sentinelPassword ?? query.get('sentinelPassword'),
        tls,
      }),
      ...(kind === 'sentinel' && tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
      db,
    },
    namespace,
    shards,
    timeout,
    server: hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(','),
  }
}

/**
 * The settings as plain data, for a helper thread; without what can't be sent there, if a connection can be made
 * without that. A thread never connects without TLS where this one has it.
 */
export function plainOf(settings: Settings): Settings | undefined {
  const connection: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(settings.connection)) {
    try {
      connection[key] = structuredClone(value)
    } catch {
      if (/tls/i.test(key)) return undefined
    }
  }
  return { ...settings, connection }
}

const nothing = { username: undefined, password: undefined, master: undefined, db: undefined }
const local: readonly Address[] = [{ host: 'localhost', port: 6379 }]

function ofObject({ sentinels, name, nodes, tls }: RedisOptions): Said {
  const form = { ...nothing, isTls: Boolean(tls), query: new Map<string, string>() }
  if (sentinels) {
    if (typeof name !== 'string' || name === '')
      throw invalid('"name"', 'what the Sentinels call the master', name)
    return { ...form, kind: 'sentinel', hosts: addresses('sentinels', sentinels, 26379), master: name }
  }
  if (nodes) return { ...form, kind: 'cluster', hosts: addresses('nodes', nodes, 6379) }
  return { ...form, kind: 'server', hosts: local }
}

function tlsOf({ tls }: RedisOptions, { isTls }: Said): object | undefined {
  if (tls === undefined) return isTls ? {} : undefined
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null))
    throw invalid('"tls"', 'true or options of tls.connect', tls)
  if (Boolean(tls) !== isTls) throw invalid('"tls"', 'given with rediss:// URLs, and only with them')
  return typeof tls === 'object' ? tls : {}
}

/** Our own, or of no use to us. */
const dropped = ['host', 'port', 'sentinels', 'name', 'keyPrefix', 'readOnly', 'monitor', 'connectionName']

/** What a client of ioredis was made with. */
function ofClient(client: object): { said: Said; options: Record<string, unknown> } {
  const { options, isCluster, startupNodes } = client as {
    options?: Record<string, unknown>
    isCluster?: boolean
    startupNodes?: readonly unknown[]
  }
  const own = isCluster ? (options?.redisOptions as Record<string, unknown> | undefined) : options
  if (!options || (isCluster && !startupNodes)) throw invalid('"client"', 'a client of ioredis')
  if (options.keyPrefix || own?.keyPrefix) {
    throw invalid('"client"', 'one without keyPrefix: name the keys with "namespace"')
  }
  if (isCluster && options.natMap) throw invalid('"client"', 'one without natMap')
  const kept = Object.fromEntries(Object.entries(own ?? {}).filter(([key]) => !dropped.includes(key)))
  const form = { ...nothing, isTls: Boolean(own?.tls), query: new Map<string, string>() }
  if (isCluster) {
    const hosts = addresses('client', startupNodes as (Address | string)[], 6379)
    return { said: { ...form, kind: 'cluster', hosts }, options: { ...kept, db: 0 } }
  }
  const db = Number(own?.db ?? 0)
  const sentinels = own?.sentinels as readonly Address[] | null | undefined
  const said: Said = sentinels
    ? {
        ...form,
        kind: 'sentinel',
        hosts: addresses('client', sentinels, 26379),
        master: String(own?.name),
        db,
      }
    : {
        ...form,
        kind: 'server',
        hosts: [{ host: String(own?.host ?? 'localhost'), port: Number(own?.port ?? 6379) }],
        db,
      }
  return { said, options: kept }
}

function addresses(
  key: string,
  given: readonly (Partial<Address> | string | number)[],
  port: number,
): Address[] {
  if (!Array.isArray(given) || given.length === 0) throw invalid(`"${key}"`, 'a list of hosts', given)
  return given.map((each) => {
    if (typeof each === 'number') return { host: 'localhost', port: each }
    if (typeof each === 'object' && each !== null)
      return { host: each.host ?? 'localhost', port: each.port ?? port }
    try {
      return addressOf(String(each), port)
    } catch {
      throw invalid(`"${key}"`, 'hosts such as "redis1:6379"', each)
    }
  })
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text || Number.NaN)

const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function invalid(what: string, expected: string, got?: unknown): UsageError {
  const end = got === undefined ? '.' : `, got ${typeof got === 'number' ? got : JSON.stringify(got)}.`
  return new UsageError('INVALID_OPTION', `Expected ${what} to be ${expected}${end}`)
}
