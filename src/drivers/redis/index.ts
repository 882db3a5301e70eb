import { UsageError } from '../../errors.ts'
import type { Backend, Store } from '../../port/index.ts'
import { sharded } from '../sharded/index.ts'
import { createBells } from './bells.ts'
import { openBellRoute, openCluster } from './cluster.ts'
import { diagnose } from './diagnose.ts'
import { closed } from './faults.ts'
import { createLink, directRoute, type Link } from './link.ts'
import { scripts } from './lua/index.ts'
import { partOf, type RedisPart } from './part.ts'
import { check, plainOf, type RedisOptions, type Settings } from './settings.ts'
import { asBefore, createShard, type Shard } from './shard.ts'
import { prefixesOf } from './slot.ts'

export type { RedisOptions } from './settings.ts'
export type { Address } from './url.ts'

/**
 * A backend in a Redis 7 or later, with or without Sentinels, or in a Redis Cluster: for many processes on many
 * machines. Needs the package `ioredis`. It connects at the first call, and comes back by itself when the
 * connection is lost.
 *
 * @returns a backend, whose calls reject with a `BackendError` that names the server and what to do
 * @throws UsageError when an option is wrong
 * @example
 * const app = connect(redis({ url: 'redis://localhost:6379', namespace: 'shop' }))
 */
export function redis(given?: RedisOptions & { readonly shards?: 1 }): Store
/** With several shards it is no store that RabbitMQ can stand before. */
export function redis(given: RedisOptions): Backend
export function redis(given: RedisOptions = {}): Backend {
  return backend(check(given))
}

/**
 * The backend of a URL: `redis://localhost:6379/0`, with `?namespace=shop`, `?shards=4` and `?timeout=8000`.
 *
 * @throws UsageError `BAD_URL`, `UNKNOWN_OPTION` or `INVALID_OPTION`
 * @example
 * const backend = open('redis://user:password@host:6379/0?namespace=shop')
 */
export function open(url: string): Backend {
  return backend(check({ url }))
}

interface Opened {
  readonly link: Link
  readonly shards: readonly Shard[]
}

function backend(settings: Settings): Backend {
  const prefixes = prefixesOf(settings.namespace, settings.shards)
  const cluster = settings.kind === 'cluster' ? openCluster(settings, prefixes) : undefined
  const bells = createBells(
    async () => (cluster ? openBellRoute(settings, cluster) : directRoute(settings)),
    settings,
  )
  const plain = plainOf(settings)
  let linking: Promise<Link> | undefined
  let opening: Promise<Opened> | undefined
  let isClosed = false

  async function link(): Promise<Link> {
    linking ??= (async () => createLink(cluster ?? (await directRoute(settings)), settings))()
    linking.catch(() => {
      linking = undefined
    })
    return linking
  }

  async function connect(): Promise<Opened> {
    const to = await link()
    await agree(to, prefixes[0]!, settings)
    return { link: to, shards: prefixes.map((prefix) => createShard(to, bells, prefix)) }
  }

  /** Connect at the first call; a failure is tried again by the next. */
  function opened(): Promise<Opened> {
    if (isClosed) return Promise.reject(closed(settings.server))
    opening ??= connect().catch((error) => {
      opening = undefined
      throw error
    })
    return opening
  }

  const parts = prefixes.map((_, i) => partOf(async () => (await opened()).shards[i]!))
  return {
    ...(parts.length === 1 ? alone(parts[0]!) : sharded(parts)),
    ...(plain && {
      pulse: {
        module: new URL(import.meta.url.endsWith('.ts') ? './pulse.ts' : './pulse.js', import.meta.url).href,
        data: plain,
      },
    }),
    diagnose: async () => {
      const { link, shards } = await opened()
      return diagnose(link, shards[0]!, settings)
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      await bells.close()
      await (await linking?.catch(() => undefined))?.close()
    },
  }
}

/** A part that is all there is. */
const alone = ({ records, ...part }: RedisPart): Omit<Backend, 'diagnose' | typeof Symbol.asyncDispose> => ({
  ...part,
  records: {
    ...records,
    async list(filter, limit, cursor) {
      const { marks: _, ...page } = await records.list(filter, limit, cursor)
      return page
    },
  },
})

async function agree(link: Link, prefix: string, { namespace, shards }: Settings): Promise<void> {
  const there = await link.run(scripts.agree, prefix, [shards], asBefore)
  if (there === shards) return
  throw new UsageError(
    'INVALID_OPTION',
    `The namespace "${namespace}" has shards: ${there}, which can't be changed; got shards: ${shards}.`,
  )
}
