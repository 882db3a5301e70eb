import { createRequire } from 'node:module'
import { BackendError, UsageError } from '../../errors.ts'

export type Value = string | number | null

/** What this driver uses of the `node:sqlite` API, which `@photostructure/sqlite` shares. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
  readonly isTransaction: boolean
}

export interface Statement {
  run(...values: Value[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  get(...values: Value[]): unknown
  all(...values: Value[]): unknown[]
  setReturnArrays(arrays: boolean): void
}

export interface Library {
  readonly name: 'node:sqlite' | '@photostructure/sqlite'
  open(file: string): Database
}

/** SQLite 3.7.0 to 3.51.2 can corrupt a WAL file that several connections write and checkpoint. */
export const OLDEST_SQLITE = '3.51.3'

/**
 * Whether an SQLite version keeps our files whole. What is not a version is not supported.
 * See https://sqlite.org/wal.html#walresetbug
 */
export function supported(version: string): boolean {
  const parts = /^(\d+)\.(\d+)(?:\.(\d+))?/
    .exec(version)
    ?.slice(1)
    .map((part) => Number(part ?? 0))
  if (!parts) return false
  const least = OLDEST_SQLITE.split('.').map(Number)
  for (let i = 0; i < least.length; i++) {
    if (parts[i] !== least[i]) return parts[i]! > least[i]!
  }
  return true
}

/** The built-in library where its SQLite will do, else the packaged one. */
export function loadLibrary(): Library {
  const builtIn = process.versions.sqlite
  return builtIn !== undefined && supported(builtIn) ? loadBuiltIn() : loadPackaged()
}

/** The version of the library itself, checked. Throws `BACKEND_VERSION` for one that would corrupt files. */
export function checkVersion(library: Library['name'], database: Database): string {
  const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  if (supported(version)) return version
  throw new BackendError(
    'BACKEND_VERSION',
    `Expected SQLite ${OLDEST_SQLITE} or later, got ${version} from ${library}: older ones can corrupt a file ` +
      'that several processes write (sqlite.org/wal.html#walresetbug). ' +
      'Run "npm install @photostructure/sqlite@1", or use a newer Node.',
  )
}

type Constructor = new (file: string) => Database

function loadBuiltIn(): Library {
  const { DatabaseSync } = quietly(() => createRequire(import.meta.url)('node:sqlite')) as {
    DatabaseSync: Constructor
  }
  return { name: 'node:sqlite', open: (file) => new DatabaseSync(file) }
}

function loadPackaged(): Library {
  const name = '@photostructure/sqlite'
  try {
    const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite') as {
      DatabaseSync: Constructor
    }
    return { name, open: (file) => new DatabaseSync(file) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new UsageError(
      'DRIVER_MISSING',
      `The SQLite library ${name} can't be loaded (${why}). Run "npm install ${name}@1".`,
      { cause },
    )
  }
}

/** Node calls its library experimental as it is loaded; that is ours to know, not our users'. */
function quietly<T>(load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
