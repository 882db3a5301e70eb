import { createRequire } from 'node:module'

/**
 * @typedef {object} Database
 * @property {(sql: string) => void} exec
 * @property {(sql: string) => { run(...values: unknown[]): unknown, all(...values: unknown[]): any[], get(...values: unknown[]): any }} prepare
 * @property {() => void} close
 */

const fromRepository = createRequire(new URL('../../package.json', import.meta.url))

/** The SQLite library that Millrace's driver takes on this Node: see src/drivers/sqlite/library.ts. */
export function sqliteLibrary() {
  const [major = 0, minor = 0, patch = 0] = (process.versions.sqlite ?? '0').split('.').map(Number)
  const recent = major * 1e6 + minor * 1e3 + patch >= 3_051_003
  const name = recent ? 'node:sqlite' : '@photostructure/sqlite'
  return {
    name,
    DatabaseSync: /** @type {new (file: string) => Database} */ (fromRepository(name).DatabaseSync),
  }
}

/**
 * With the settings of Millrace's driver (src/drivers/sqlite/connection.ts), and `full` as SQLite itself does
 * it, by a sync within each commit.
 *
 * @param {string} file @param {'full' | 'normal'} durability
 */
export function openDatabase(file, durability) {
  const { DatabaseSync } = sqliteLibrary()
  const db = new DatabaseSync(file)
  db.exec('PRAGMA busy_timeout = 1000')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
  if (durability === 'full') db.exec('PRAGMA fullfsync = ON')
  db.exec('PRAGMA mmap_size = 0')
  db.exec('PRAGMA cache_size = -16000')
  db.exec('PRAGMA temp_store = MEMORY')
  db.exec('PRAGMA wal_autocheckpoint = 1000')
  return db
}
