import { readFileSync } from 'node:fs'
import { redact } from '../../async/redact.ts'
import { UsageError } from '../../errors.ts'

/** A URL's parts, checked and complete. */
export interface Settings {
  readonly hosts: readonly { readonly hostname: string; readonly port: number }[]
  readonly protocol: 'amqp' | 'amqps'
  readonly username: string
  readonly password: string
  readonly vhost: string
  /** Begins the name of every queue and exchange. Apps with different result stores need different ones. */
  readonly namespace: string
  /** Seconds without a sign of life after which a connection is given up. */
  readonly heartbeat: number
  readonly tls: Readonly<Record<string, unknown>>
  /** Hosts and virtual host, for messages. */
  readonly server: string
}

/** Files, by the names that RabbitMQ's own URIs have for them. */
const files = { cacertfile: 'ca', certfile: 'cert', keyfile: 'key' } as const
const known = ['namespace', 'heartbeat', ...Object.keys(files)]

/**
 * Read `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS; the hosts of one cluster are separated by
 * commas. Options: `?namespace=shop`, `?heartbeat=30`, and files in PEM format with `?cacertfile=`, `?certfile=` and
 * `?keyfile=`. Throws `BAD_URL`, `UNKNOWN_OPTION` and `INVALID_OPTION`.
 */
export function parse(url: string): Settings {
  // Node's URL takes one host only.
  const [, scheme, user, hosts, path = '', query = ''] =
    /^(amqps?):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(String(url)) ?? []
  if (!scheme) throw badUrl(url)
  const protocol = scheme.toLowerCase() as 'amqp' | 'amqps'
  const asked = new URLSearchParams(query)
  for (const name of asked.keys()) {
    if (known.includes(name)) continue
    throw new UsageError(
      'UNKNOWN_OPTION',
      `Unknown option "${name}" in "${redact(url)}". Expected one of ${known.join(', ')}, as in amqp://localhost?namespace=shop.`,
    )
  }
  const namespace = asked.get('namespace') ?? 'millrace'
  if (!/^[\w.-]{1,100}$/.test(namespace) || namespace.startsWith('amq.')) {
    throw invalid('namespace', 'letters, digits, dots and dashes', namespace)
  }
  const heartbeat = Number(asked.get('heartbeat') ?? 10)
  if (!Number.isInteger(heartbeat) || heartbeat < 1 || heartbeat > 600) {
    throw invalid('heartbeat', 'a whole number of seconds from 1 to 600', heartbeat)
  }
  const [username = '', password = ''] = user === undefined ? ['guest', 'guest'] : splitOnce(user)
  const parsed = (hosts || 'localhost').split(',').map((host) => hostOf(host, protocol, url))
  const vhost = path === '' ? '/' : decode(path, url)
  const named = parsed.map(({ hostname, port }) => `${hostname}:${port}`).join(', ')
  return {
    hosts: parsed,
    protocol,
    username: decode(username, url),
    password: decode(password, url),
    vhost,
    namespace,
    heartbeat,
    tls: readFiles(asked),
    server: vhost === '/' ? named : `${named}/${vhost}`,
  }
}

function hostOf(text: string, protocol: string, url: string): Settings['hosts'][number] {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([^:]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const hostname = bracketed ?? plain
  if (!hostname) throw badUrl(url)
  return { hostname, port: Number(port ?? (protocol === 'amqps' ? 5671 : 5672)) }
}

function readFiles(asked: URLSearchParams): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(files)) {
    const file = asked.get(name)
    if (file === null) continue
    try {
      read[option] = readFileSync(file)
    } catch (cause) {
      throw new UsageError('INVALID_OPTION', `The file "${file}" of the option "${name}" can't be read.`, {
        cause,
      })
    }
  }
  return read
}

function splitOnce(user: string): [string, string] {
  const at = user.indexOf(':')
  return at < 0 ? [user, ''] : [user.slice(0, at), user.slice(at + 1)]
}

function decode(text: string, url: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw badUrl(url)
  }
}

const badUrl = (url: string): UsageError =>
  new UsageError(
    'BAD_URL',
    `Expected a URL such as amqp://user:password@host:5672/vhost, got "${redact(url)}".`,
  )

const invalid = (name: string, expected: string, got: unknown): UsageError =>
  new UsageError('INVALID_OPTION', `Expected "${name}" to be ${expected}, got ${JSON.stringify(got)}.`)
