import { redact } from '../../async/redact.ts'
import { UsageError } from '../../errors.ts'

/** A server's host and port. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What a URL says, each part checked for its form only. */
export interface Said {
  readonly kind: 'server' | 'sentinel' | 'cluster'
  readonly isTls: boolean
  readonly hosts: readonly Address[]
  readonly username: string | undefined
  readonly password: string | undefined
  /** The name under which Sentinels know the master. */
  readonly master: string | undefined
  readonly db: number | undefined
  readonly query: ReadonlyMap<string, string>
}

const schemes: Readonly<Record<string, Pick<Said, 'kind' | 'isTls'>>> = {
  redis: { kind: 'server', isTls: false },
  rediss: { kind: 'server', isTls: true },
  'redis+sentinel': { kind: 'sentinel', isTls: false },
  'rediss+sentinel': { kind: 'sentinel', isTls: true },
  'redis+cluster': { kind: 'cluster', isTls: false },
  'rediss+cluster': { kind: 'cluster', isTls: true },
}

const common = ['namespace', 'timeout', 'shards']
const known: Readonly<Record<Said['kind'], readonly string[]>> = {
  server: common,
  sentinel: [...common, 'sentinelUsername', 'sentinelPassword'],
  cluster: common,
}
const examples: Readonly<Record<Said['kind'], string>> = {
  server: 'redis://localhost:6379/0',
  sentinel: 'redis+sentinel://host1:26379,host2:26379/mymaster/0',
  cluster: 'redis+cluster://host1:6379,host2:6379',
}
const parts = /^([a-z+]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i

/**
 * Read a URL.
 *
 * @throws UsageError `BAD_URL`, `UNKNOWN_OPTION`
 */
export function readUrl(url: string): Said {
  const found = parts.exec(url)
  const scheme = (found?.[1] ?? '').toLowerCase()
  const form = Object.hasOwn(schemes, scheme) ? schemes[scheme]! : undefined
  if (!found || !form) throw badUrl(url, 'server')
  const { kind } = form
  try {
    const [username, password] = userOf(found[2])
    const path = (found[4] ?? '').split('/').map(decodeURIComponent)
    const master = kind === 'sentinel' ? path.shift() : undefined
    const [db = '', ...rest] = path
    if (rest.length > 0 || !/^\d*$/.test(db) || master === '') throw badUrl(url, kind)
    const hosts = found[3]!.split(',').map((host) => addressOf(host, kind === 'sentinel' ? 26379 : 6379))
    if (kind === 'server' && hosts.length > 1) throw badUrl(url, kind)
    const query = new Map(new URLSearchParams(found[5] ?? ''))
    for (const name of query.keys()) {
      if (known[kind].includes(name)) continue
      throw new UsageError(
        'UNKNOWN_OPTION',
        `Unknown option "${name}" in "${redact(url)}". Expected ${known[kind].join(', ')}, as in ${examples[kind]}?namespace=shop.`,
      )
    }
    return { ...form, hosts, username, password, master, db: db === '' ? undefined : Number(db), query }
  } catch (error) {
    throw error instanceof UsageError ? error : badUrl(url, kind)
  }
}

function userOf(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined) return [undefined, undefined]
  const at = text.indexOf(':')
  const say = (part: string) => (part === '' ? undefined : decodeURIComponent(part))
  return at < 0 ? [say(text), undefined] : [say(text.slice(0, at)), say(text.slice(at + 1))]
}

/** `host`, `host:port`, `[::1]:port`. */
export function addressOf(text: string, otherwise: number): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port ?? 1) > 65_535) throw new TypeError(text)
  return { host: host === '' ? 'localhost' : host, port: Number(port ?? otherwise) }
}

const badUrl = (url: string, kind: Said['kind']): UsageError =>
  new UsageError('BAD_URL', `Expected a URL such as ${examples[kind]}, got "${hide(url)}".`)

/** Without its password, and without what may be one in a URL that can't be read. */
const hide = (url: string): string => redact(url).replace(/\/\/[^@]*@/, '//***@')
