import { closeSync, fdatasync, fdatasyncSync, openSync, statSync } from 'node:fs'
import { BackendError } from '../../errors.ts'
import type { Database } from './library.ts'

/** Brings what has been committed to the disk. */
export interface Sync {
  /** Calls back once all that is committed by now is on the disk; calls that come meanwhile share the next sync. */
  durable(done: (error: unknown) => void): void
  /** Once no sync is under way. */
  close(): Promise<void>
}

/** In milliseconds: a disk that takes less is waited for, since another thread would take longer. */
const FAST = 1
/** A sync that has not come back by then may still wait for the thread pool, and is done here and now. */
const PATIENCE = 20

/**
 * The write-ahead log is synced by us after COMMIT, not by SQLite within it: so other processes don't wait
 * for a disk to give them the lock, and a slow disk doesn't hold up the event loop. Who waits for a commit
 * is answered after the sync that follows it, and a log is only ever read up to where it is whole: what was
 * answered is on the disk, with all before it. What is not answered yet may be seen by others, and may be
 * lost in a power cut, with all after it.
 */
export function createSync(path: string, file: string, fast = FAST): Sync {
  let fd: number | undefined
  let waiting: Done[] = []
  let served: Done[] | undefined
  /** How long a sync has taken of late, in milliseconds. */
  let pace = 0
  let inPool = 0
  let closed: (() => void) | undefined

  function start() {
    if (served || waiting.length === 0) return
    served = waiting
    waiting = []
    try {
      fd ??= openSync(`${path}-wal`, 'r+')
      if (pace < fast) pace = average(syncHere(fd, served))
      else syncInPool(fd, served)
    } catch (error) {
      end(served, error)
    }
  }

  /** How long it took. */
  function syncHere(fd: number, mine: Done[]): number {
    const since = performance.now()
    fdatasyncSync(fd)
    const took = performance.now() - since
    end(mine)
    return took
  }

  function syncInPool(fd: number, mine: Done[]) {
    const since = performance.now()
    const timer = setTimeout(() => {
      try {
        // What it takes here tells whether the disk was slow or the pool.
        pace = syncHere(fd, mine)
      } catch (error) {
        end(mine, error)
      }
    }, PATIENCE)
    inPool++
    fdatasync(fd, (error) => {
      inPool--
      clearTimeout(timer)
      if (served === mine) pace = average(performance.now() - since)
      end(mine, error)
      if (inPool === 0) closed?.()
    })
  }

  const average = (took: number): number => pace + (took - pace) / 8

  /** Answer those who were served, if they have not been answered yet. */
  function end(mine: Done[], error?: unknown) {
    if (served !== mine) return
    served = undefined
    for (const done of mine) done(error ? unsynced(file, error) : undefined)
    start()
  }

  return {
    durable(done) {
      waiting.push(done)
      start()
    },
    async close() {
      if (inPool > 0) {
        await new Promise<void>((resolve) => {
          closed = resolve
        })
      }
      if (fd !== undefined) closeSync(fd)
    },
  }
}

type Done = (error: unknown) => void

const unsynced = (file: string, cause: unknown): BackendError =>
  new BackendError(
    'BACKEND_ERROR',
    `The disk of "${file}" failed to confirm what was written, so a power cut may undo it. Look after the disk.`,
    { cause },
  )

/** SQLite copies the log into the database by itself after so many pages (4 MB). */
const CHECKPOINT_PAGES = 1000
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
