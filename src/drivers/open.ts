import { redact } from '../async/redact.ts'
import { UsageError } from '../errors.ts'
import { type Backend, isStore } from '../port/index.ts'
import { lazy } from './lazy.ts'

/** What is known of a scheme: how to open it, and the package that it needs. */
interface Scheme {
  readonly open: (url: string, results: string | Backend) => Promise<Backend>
  /** It only carries: another backend owns the jobs. */
  readonly carries?: true
}

const openRedis = async (url: string) => (await import('./redis/index.ts')).open(url)

const schemes: Readonly<Record<string, Scheme>> = {
  memory: { open: async (url) => (await import('./memory/index.ts')).memory(url.slice('memory:'.length)) },
  sqlite: { open: async (url) => (await import('./sqlite/index.ts')).open(url) },
  redis: { open: openRedis },
  rediss: { open: openRedis },
  'redis+sentinel': { open: openRedis },
  'rediss+sentinel': { open: openRedis },
  'redis+cluster': { open: openRedis },
  'rediss+cluster': { open: openRedis },
  amqp: { open: openAmqp, carries: true },
  amqps: { open: openAmqp, carries: true },
}

/** RabbitMQ, joined with the store that owns the jobs. */
async function openAmqp(url: string, results: string | Backend): Promise<Backend> {
  const store = typeof results === 'string' ? await schemeOf(results).open(results, '') : results
  if (!isStore(store)) {
    throw new UsageError(
      'INVALID_OPTION',
      'Expected "results" to be a backend that can stand behind RabbitMQ: memory:, sqlite: or redis: with one shard.',
    )
  }
  try {
    return await (await import('./amqp/index.ts')).amqp({ url, results: store })
  } catch (error) {
    if (typeof results === 'string') await store[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * The backend that a URL names, opened by its first call.
 *
 * @param results - what owns the jobs behind a broker; of no use to any other backend
 * @throws UsageError BAD_URL when the scheme is unknown, INVALID_OPTION when a broker has no store
 */
export function openBackend(url: string, results?: string | Backend): Backend {
  const scheme = schemeOf(url)
  if (!scheme.carries) return lazy(() => scheme.open(url, ''))
  const owner = typeof results === 'string' && results !== '' ? schemeOf(results) : undefined
  if (results === undefined || results === '' || owner?.carries) {
    throw new UsageError(
      'INVALID_OPTION',
      'RabbitMQ carries jobs, and another backend keeps them: name it with "results", as in ' +
        `connect('${redact(url)}', { results: 'redis://localhost:6379' }), with --results or with MILLRACE_RESULTS.`,
    )
  }
  return lazy(() => scheme.open(url, results))
}

function schemeOf(url: string): Scheme {
  const name = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  const scheme = name === undefined ? undefined : schemes[name]
  if (scheme && Object.hasOwn(schemes, name!)) return scheme
  const known = Object.keys(schemes)
    .map((each) => `${each}:`)
    .join(', ')
  throw new UsageError(
    'BAD_URL',
    `Expected a URL of ${known}, got ${JSON.stringify(redact(url))}. For example: sqlite:./millrace.db`,
  )
}
