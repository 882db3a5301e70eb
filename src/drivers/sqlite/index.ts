import type { Backend } from '../../port/index.ts'
import { createBells } from './bells.ts'
import { fileClock } from './clock.ts'
import { type Connection, connect } from './connection.ts'
import { createConsumer } from './consumer.ts'
import { createControl } from './control.ts'
import { diagnose } from './diagnose.ts'
import { events } from './events.ts'
import { closed } from './faults.ts'
import { createRecords } from './records.ts'
import { type Ground, type Moment, moment, number } from './space.ts'
import { prepare } from './statements.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'
import { check, parse, type SqliteOptions } from './url.ts'
import { createWriter } from './writer.ts'

export type { SqliteOptions } from './url.ts'

/**
 * A backend in an SQLite file: durable, for any number of processes on one machine, with nothing to install.
 * The file is opened by the first call, and is made when it is missing.
 *
 * @returns a backend, whose calls reject with a `BackendError` that names the file and what to do
 * @throws UsageError when an option is wrong
 * @example
 * const app = connect(sqlite({ path: './millrace.db' }))
 */
export function sqlite(given: SqliteOptions): Backend {
  const options = check(given)
  const { path: file, durability } = options
  let opening: Promise<Opened> | undefined
  let isClosed = false

  /** Open at the first call; a failure is tried again by the next. */
  function opened(): Promise<Opened> {
    if (isClosed) return Promise.reject(closed(file))
    opening ??= connect(options).then(
      (connection) => build(connection, options),
      (error) => {
        opening = undefined
        throw error
      },
    )
    return opening
  }

  return {
    submit: async (batch) => {
      const { ground } = await opened()
      return ground.writer.write((at) => submit(at, batch))
    },
    consume: async (consume) => createConsumer((await opened()).ground, consume),
    sweep: async (limit) => {
      const { ground, trim } = await opened()
      const swept = await sweep(ground, limit)
      trim()
      return swept
    },
    pulse: {
      module: new URL(import.meta.url.endsWith('.ts') ? './pulse.ts' : './pulse.js', import.meta.url).href,
      data: options,
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
    diagnose: async () => {
      const { ground, connection } = await opened()
      return ground.writer.read(() => diagnose(connection, durability, ground))
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      const open = await opening?.catch(() => undefined)
      await open?.close()
    },
  }
}

/**
 * The backend of a URL: `sqlite:./jobs.db`, `sqlite:/var/lib/jobs.db`, with `?durability=normal` and
 * `?busyTimeout=2000`.
 *
 * @throws UsageError `BAD_URL`, `UNKNOWN_OPTION` or `INVALID_OPTION`
 * @example
 * const backend = open('sqlite:./millrace.db?durability=normal')
 */
export function open(url: string): Backend {
  return sqlite(parse(url))
}

type Opened = ReturnType<typeof build>

function build(connection: Connection, options: Required<SqliteOptions>) {
  const { db, path, file } = connection
  const sql = prepare(db)
  const clock = fileClock(path)
  const look = (): Moment => moment(sql, clock)
  const dataVersion = db.prepare('PRAGMA data_version')
  const bells = createBells({
    database: path,
    version: () => quietly(() => (dataVersion.get() as { data_version: number }).data_version),
    marks: () => quietly(() => number(sql.meta, 'marks')),
  })
  const writer = createWriter<Moment>({
    db,
    file,
    durability: options.durability,
    busyTimeout: options.busyTimeout,
    begin: look,
    committed: bells.announce,
  })
  const ground: Ground = { sql, clock, writer, bells, look }
  return {
    connection,
    ground,
    records: createRecords(db, ground),
    control: createControl(ground),
    trim: () => {},
    async close() {
      await writer.idle()
      bells.close()
      clock.close()
      db.close()
    },
  }
}

/** For hints: a file that is locked just now may have changed. */
function quietly(look: () => number): number {
  try {
    return look()
  } catch {
    return Number.NaN
  }
}
