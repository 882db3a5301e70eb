import { UsageError } from '../../errors.ts'
import type { Millis } from '../../port/index.ts'

/** Where the jobs are kept. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url?: string
  /**
   * One separate set of queues in a Redis: it begins the name of every key.
   * @defaultValue 'millrace'
   */
  readonly namespace?: string
  /**
   * How long a call waits for a Redis that can't be reached, in milliseconds, before it rejects with
   * `BACKEND_UNAVAILABLE`.
   * @defaultValue 8000
   */
  readonly timeout?: Millis
  /** Certificates and the like for `rediss://`, as Node's `tls.connect` takes them. */
  readonly tls?: Readonly<Record<string, unknown>>
}

/** The options, checked and complete; plain data, so that a helper thread can have them. */
export interface Settings {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: Readonly<Record<string, unknown>> | undefined
  readonly namespace: string
  readonly timeout: Millis
  /** Host and port, for messages. */
  readonly server: string
}

const known = ['namespace', 'timeout']

/** Read a URL with `?namespace=` and `?timeout=`. Throws `BAD_URL`, `UNKNOWN_OPTION` and `INVALID_OPTION`. */
export function parse(url: string): Settings {
  return check({ url })
}

/** The options, if they are right. */
export function check(given: RedisOptions): Settings {
  const url = given.url ?? 'redis://localhost:6379'
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw badUrl(url)
  }
  if (!['redis:', 'rediss:'].includes(parsed.protocol)) throw badUrl(url)
  const query = parsed.searchParams
  for (const name of query.keys()) {
    if (known.includes(name)) continue
    throw new UsageError(
      'UNKNOWN_OPTION',
      `Unknown option "${name}" in "${redact(url)}". Expected ${known.join(' or ')}, as in redis://localhost:6379?namespace=shop.`,
    )
  }
  const path = decodeURIComponent(parsed.pathname.replace(/^\//, ''))
  if (!/^\d*$/.test(path)) throw badUrl(url)
  const namespace = given.namespace ?? query.get('namespace') ?? 'millrace'
  if (typeof namespace !== 'string' || !/^[^{}#\s\p{Cc}]{1,100}$/u.test(namespace)) {
    throw new UsageError(
      'INVALID_OPTION',
      `Expected "namespace" to be a name without spaces, braces and "#", got ${JSON.stringify(namespace)}.`,
    )
  }
  const timeout = given.timeout ?? (query.has('timeout') ? Number(query.get('timeout') || Number.NaN) : 8000)
  if (!Number.isFinite(timeout) || timeout < 0) {
    throw new UsageError(
      'INVALID_OPTION',
      `Expected "timeout" to be milliseconds such as 8000, got ${String(timeout)}.`,
    )
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost'
  const port = Number(parsed.port || 6379)
  return {
    host,
    port,
    username: parsed.username === '' ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
    db: Number(path),
    tls: parsed.protocol === 'rediss:' ? { servername: host, ...given.tls } : undefined,
    namespace,
    timeout,
    server: `${parsed.hostname || 'localhost'}:${port}`,
  }
}

const badUrl = (url: string): UsageError =>
  new UsageError('BAD_URL', `Expected a URL such as redis://localhost:6379/0, got "${redact(url)}".`)

/** Without its password, and without what may be one in a URL that can't be read. */
const redact = (url: string): string => url.replace(/\/\/[^@]*@/, '//***@')
