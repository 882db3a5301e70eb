import type { Store } from '../../port/index.ts'
import { createConsumer } from './consumer.ts'
import { diagnose } from './diagnose.ts'
import { events } from './events.ts'
import { closed } from './faults.ts'
import { type Store as OpenFile, openStore } from './store.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'
import { check, parse, type Settings, type SqliteOptions } from './url.ts'

export type { SqliteOptions } from './url.ts'

/**
 * A backend in an SQLite file: durable, for any number of processes on one machine, with nothing to install.
 * The file is opened by the first call, and is made when it is missing, unless `create` is false.
 *
 * @returns a backend, whose calls reject with a `BackendError` that names the file and what to do
 * @throws UsageError when an option is wrong
 * @example
 * const app = connect(sqlite({ path: './millrace.db' }))
 */
export function sqlite(given: SqliteOptions): Store {
  return backend(check(given))
}

/**
 * The backend of a URL: `sqlite:./jobs.db`, `sqlite:/var/lib/jobs.db`, with `?durability=normal`,
 * `?busyTimeout=2000` and `?create=false`.
 *
 * @throws UsageError `BAD_URL`, `UNKNOWN_OPTION` or `INVALID_OPTION`
 * @example
 * const backend = open('sqlite:./millrace.db?durability=normal')
 */
export function open(url: string): Store {
  return backend(parse(url))
}

function backend(settings: Settings): Store {
  const { file } = settings
  let opening: Promise<OpenFile> | undefined
  let isClosed = false

  /** Open at the first call; a failure is tried again by the next. */
  function opened(): Promise<OpenFile> {
    if (isClosed) return Promise.reject(closed(file))
    opening ??= openStore(settings).catch((error) => {
      opening = undefined
      throw error
    })
    return opening
  }

  return {
    submit: async (batch) => {
      const { ground } = await opened()
      return ground.writer.write((at) => submit(at, batch))
    },
    consume: async (consume) => createConsumer((await opened()).ground, consume),
    sweep: async (limit) => {
      const { ground, trim, outbox } = await opened()
      const swept = await sweep(ground, limit)
      await outbox.lapse()
      trim()
      return swept
    },
    outbox: async (limit, hold) => (await opened()).outbox.read(limit, hold),
    sent: async (entries) => (await opened()).outbox.sent(entries),
    pulse: {
      module: new URL(import.meta.url.endsWith('.ts') ? './pulse.ts' : './pulse.js', import.meta.url).href,
      data: settings,
    },
    async *events(filter, signal) {
      const { ground } = await opened()
      yield* events(ground.bells, filter, signal)
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
      const { ground, connection } = await opened()
      return ground.writer.read(() => diagnose(connection, settings.durability, ground))
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      const open = await opening?.catch(() => undefined)
      await open?.close()
      opening = undefined
    },
  }
}
