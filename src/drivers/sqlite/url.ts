import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../errors.ts'
import type { Millis } from '../../port/index.ts'

/** Where the jobs are kept, and how surely. */
export interface SqliteOptions {
  /** The database file. Its folder must exist. */
  readonly path: string
  /**
   * `full`: a job is on the disk when `enqueue` resolves. `normal`: a power cut may lose the last moments; a
   * crash of the process loses nothing.
   * @defaultValue 'full'
   */
  readonly durability?: 'full' | 'normal'
  /**
   * How long a call waits while another process holds the file locked, in milliseconds, before it rejects
   * with `BACKEND_LOCKED`. The event loop runs on meanwhile.
   * @defaultValue 10000
   */
  readonly busyTimeout?: Millis
  /**
   * Whether a missing file is made; else calls reject with `BACKEND_MISSING`.
   * @defaultValue true
   */
  readonly create?: boolean
}

/** The options, checked and complete. */
export interface Settings extends Required<SqliteOptions> {
  /** Absolute, as seen from where the process stood when the backend was made. */
  readonly path: string
  /** The file as the user named it, for messages. */
  readonly file: string
}

const options = ['durability', 'busyTimeout', 'create']

/**
 * Read `sqlite:./jobs.db`, `sqlite:/var/lib/jobs.db`, `sqlite:///var/lib/jobs.db`, with
 * `?durability=normal`, `?busyTimeout=2000` and `?create=false`. Throws `BAD_URL`, `UNKNOWN_OPTION` and
 * `INVALID_OPTION`.
 */
export function parse(url: string): Settings {
  const [, location = '', query = ''] = /^sqlite:([^?#]*)(?:\?([^#]*))?$/i.exec(url) ?? []
  const path = pathOf(location)
  if (!path || path === ':memory:') {
    throw new UsageError(
      'BAD_URL',
      `Expected a file such as sqlite:./millrace.db, got "${url}". For jobs that are not kept, use memory:.`,
    )
  }
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (options.includes(name)) continue
    throw new UsageError(
      'UNKNOWN_OPTION',
      `Unknown option "${name}" in "${url}". Expected one of ${options.join(', ')}, as in ${location ? `sqlite:${location}` : url}?durability=normal.`,
    )
  }
  const durability = given.get('durability') ?? undefined
  const busyTimeout = given.get('busyTimeout') ?? undefined
  const create = given.get('create') ?? undefined
  return check({
    path,
    ...(durability !== undefined && { durability: durability as 'full' }),
    ...(busyTimeout !== undefined && { busyTimeout: busyTimeout === '' ? Number.NaN : Number(busyTimeout) }),
    ...(create !== undefined && { create: (booleans[create] ?? create) as boolean }),
  })
}

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false }

/** The options, if they are right. */
export function check(given: SqliteOptions): Settings {
  const { path, durability = 'full', busyTimeout = 10_000, create = true } = given
  if (typeof path !== 'string' || path === '') {
    throw new UsageError('INVALID_OPTION', `Expected "path" to be a file's name, got ${String(path)}.`)
  }
  if (durability !== 'full' && durability !== 'normal') {
    throw new UsageError(
      'INVALID_OPTION',
      `Expected "durability" to be "full" or "normal", got "${String(durability)}".`,
    )
  }
  if (!Number.isFinite(busyTimeout) || busyTimeout < 0) {
    throw new UsageError(
      'INVALID_OPTION',
      `Expected "busyTimeout" to be milliseconds such as 10000, got ${String(busyTimeout)}.`,
    )
  }
  if (typeof create !== 'boolean') {
    throw new UsageError('INVALID_OPTION', `Expected "create" to be true or false, got "${String(create)}".`)
  }
  return { path: resolve(path), file: path, durability, busyTimeout, create }
}

function pathOf(location: string): string {
  if (!location.startsWith('//')) return safely(() => decodeURIComponent(location)) ?? location
  return safely(() => fileURLToPath(`file:${location}`)) ?? ''
}

function safely<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
