import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { backoff } from '../../async/backoff.ts'
import { pause } from '../../async/signals.ts'
import { BackendError } from '../../errors.ts'
import { isBusy, locked, translate } from './faults.ts'
import { checkVersion, type Database, loadLibrary } from './library.ts'
import { limitLog } from './log.ts'
import { migrate, readVersion, SCHEMA_VERSION } from './schema.ts'
import type { Settings } from './url.ts'

/** An open database file of ours, up to date. */
export interface Connection {
  readonly db: Database
  /** The absolute path. */
  readonly path: string
  /** As the user named it. */
  readonly file: string
  readonly library: string
  readonly version: string
}

/**
 * How long one statement may hold up the event loop because of a lock. What is still locked then is tried
 * again later, while the loop runs.
 */
const BUSY = 5

/**
 * Open, check and migrate a file. One that is damaged, another program's or too new is left as it is.
 * Throws `BACKEND_*` errors that name the file as the user did.
 */
export async function connect(settings: Settings): Promise<Connection> {
  const { path, file, busyTimeout } = settings
  let db: Database | undefined
  try {
    checkKind(settings)
    const library = loadLibrary()
    db = library.open(path)
    const open = db
    db.exec(`PRAGMA busy_timeout = ${BUSY}`)
    // Even this reads the file's schema.
    const version = await patiently(() => checkVersion(library.name, open), file, busyTimeout)
    await patiently(() => setUp(open, settings), file, busyTimeout)
    return { db, path, file, library: library.name, version }
  } catch (error) {
    db?.close()
    throw translate(error, file)
  }
}

/** Every step may meet another process's lock, and may be done again. */
function setUp(db: Database, { file, durability }: Settings): void {
  const version = readVersion(db, file)
  if (version < SCHEMA_VERSION) {
    db.exec('PRAGMA journal_mode = WAL')
    migrate(db, file)
  }
  const { journal_mode: mode } = db.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
  if (mode !== 'wal') {
    throw new BackendError(
      'BACKEND_UNAVAILABLE',
      `The file system of "${file}" can't share a write-ahead log between processes (journal mode: ${mode}). ` +
        'Keep the file on a local disk.',
    )
  }
  // Commits are synced by us: see log.ts.
  db.exec('PRAGMA synchronous = NORMAL')
  // On macOS, fsync alone leaves data in the drive's cache.
  if (durability === 'full') db.exec('PRAGMA fullfsync = ON')
  db.exec('PRAGMA mmap_size = 0')
  db.exec('PRAGMA cache_size = -16000')
  db.exec('PRAGMA temp_store = MEMORY')
  limitLog(db)
}

async function patiently<T>(run: () => T, file: string, timeout: number): Promise<T> {
  const since = performance.now()
  const delay = backoff(5, 100)
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() - since >= timeout) throw locked(file, error)
    }
    await pause(delay.next())
  }
}

function checkKind({ path, file, create }: Settings): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) {
    throw new BackendError(
      'BACKEND_UNAVAILABLE',
      `Expected "${file}" to be a database file, and it is a folder.`,
    )
  }
  // Without its folder it can't be opened, which says what to do.
  if (!found && !create && existsSync(dirname(path))) {
    throw new BackendError(
      'BACKEND_MISSING',
      `There is no database file "${file}" yet. The first worker, or the first job, makes it; one that is ` +
        'elsewhere is named by its URL.',
    )
  }
}
