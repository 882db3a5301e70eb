import { statSync } from 'node:fs'
import type { Database } from './library.ts'

/** SQLite copies the log into the database by itself after so many pages (8 MB). */
const CHECKPOINT_PAGES = 2000
/** Beyond this size, that has not kept up: processes that always write leave it no moment to start anew. */
const LIMIT = 16 * 1024 * 1024

export function limitLog(db: Database): void {
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.exec(`PRAGMA journal_size_limit = ${LIMIT}`)
}

/** Empty a log that has grown over its limit, by shutting writers out for a moment; with every sweep. */
export function trimLog(db: Database, path: string): void {
  const size = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  if (size > LIMIT) emptyLog(db)
}

/**
 * Copy the log into the database and cut it to nothing, so that the file alone is whole. Closing does that
 * too, but the packaged library closes a file only once all its statements have been garbage-collected.
 */
export function emptyLog(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // Someone reads or writes just now, and will do it; any lasting fault shows in the next commit.
  }
}
