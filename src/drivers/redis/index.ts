import { UsageError } from '../../errors.ts'
import type { Control, Records, Schedules, Store } from '../../port/index.ts'
import { createBells } from './bells.ts'
import { openBellRoute, openCluster } from './cluster.ts'
import { createConsumer } from './consumer.ts'
import { createControl } from './control.ts'
import { diagnose } from './diagnose.ts'
import { events } from './events.ts'
import { closed } from './faults.ts'
import { createLink, directRoute, type Link } from './link.ts'
import { scripts } from './lua/index.ts'
import { forgetSent, readOutbox } from './outbox.ts'
import { createRecords } from './records.ts'
import { createSchedules } from './schedules.ts'
import { check, plainOf, type RedisOptions, type Settings } from './settings.ts'
import { asBefore, createShard, type Shard } from './shard.ts'
import { prefixesOf } from './slot.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'

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
export function redis(given: RedisOptions = {}): Store {
  return backend(check(given))
}

/**
 * The backend of a URL: `redis://localhost:6379/0`, with `?namespace=shop`, `?shards=4` and `?timeout=8000`.
 *
 * @throws UsageError `BAD_URL`, `UNKNOWN_OPTION` or `INVALID_OPTION`
 * @example
 * const backend = open('redis://user:password@host:6379/0?namespace=shop')
 */
export function open(url: string): Store {
  return backend(check({ url }))
}

interface Opened {
  readonly link: Link
  readonly shard: Shard
  readonly records: Records
  readonly control: Control
  readonly schedules: Schedules
}

function backend(settings: Settings): Store {
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
    const shard = createShard(to, bells, prefixes[0]!)
    return {
      link: to,
      shard,
      records: createRecords(shard),
      control: createControl(shard),
      schedules: createSchedules(shard),
    }
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

  return {
    submit: async (batch) => submit((await opened()).shard, batch),
    consume: async (options) => createConsumer((await opened()).shard, options),
    sweep: async (limit) => sweep((await opened()).shard, limit),
    outbox: async (limit, hold) => readOutbox((await opened()).shard, limit, hold),
    sent: async (entries) => forgetSent((await opened()).shard, entries),
    ...(plain && {
      pulse: {
        module: new URL(import.meta.url.endsWith('.ts') ? './pulse.ts' : './pulse.js', import.meta.url).href,
        data: plain,
      },
    }),
    async *events(filter, signal) {
      yield* events((await opened()).shard, filter, signal)
    },
    records: {
      get: async (ids) => (await opened()).records.get(ids),
      joins: async (ids) => (await opened()).records.joins(ids),
      slots: async (join, from, limit) => (await opened()).records.slots(join, from, limit),
      list: async (filter, limit, cursor) => (await opened()).records.list(filter, limit, cursor),
      counts: async () => (await opened()).records.counts(),
      workers: async () => (await opened()).records.workers(),
    },
    control: {
      cancel: async (ids) => (await opened()).control.cancel(ids),
      retry: async (ids) => (await opened()).control.retry(ids),
      shiftClock: async (offset) => (await opened()).control.shiftClock(offset),
    },
    schedules: {
      get: async (names) => (await opened()).schedules.get(names),
      list: async (limit, after) => (await opened()).schedules.list(limit, after),
      change: async (changes) => (await opened()).schedules.change(changes),
    },
    diagnose: async () => {
      const { link, shard } = await opened()
      return diagnose(link, shard, settings)
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      await bells.close()
      await (await linking?.catch(() => undefined))?.close()
    },
  }
}

async function agree(link: Link, prefix: string, { namespace, shards }: Settings): Promise<void> {
  const there = await link.run(scripts.agree, prefix, [shards], asBefore)
  if (there === shards) return
  throw new UsageError(
    'INVALID_OPTION',
    `The namespace "${namespace}" has ${there} shards, which can't be changed; got shards: ${shards}.`,
  )
}
