import { redact } from '../async/redact.ts'
import { UsageError } from '../errors.ts'
import type { Backend } from '../port/index.ts'
import { lazy } from './lazy.ts'

/** What is known of a scheme: how to open it, and the package that it needs. */
interface Scheme {
  readonly open: (url: string) => Promise<Backend>
  readonly needs?: string
}

const openRedis = async (url: string) => (await import('./redis/index.ts')).open(url)

const schemes: Readonly<Record<string, Scheme>> = {
  memory: { open: async (url) => (await import('./memory/index.ts')).memory(url.slice('memory:'.length)) },
  sqlite: { open: async (url) => (await import('./sqlite/index.ts')).open(url) },
  redis: { open: openRedis },
  rediss: { open: openRedis },
}

/**
 * The backend that a URL names, opened by its first call.
 *
 * @throws UsageError BAD_URL when the scheme is unknown
 */
export function openBackend(url: string): Backend {
  const name = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  const scheme = name === undefined ? undefined : schemes[name]
  if (!scheme || !Object.hasOwn(schemes, name!)) {
    const known = Object.keys(schemes)
      .map((each) => `${each}:`)
      .join(', ')
    throw new UsageError(
      'BAD_URL',
      `Expected a URL of ${known}, got ${JSON.stringify(redact(url))}. For example: sqlite:./millrace.db`,
    )
  }
  return lazy(() => scheme.open(url))
}
