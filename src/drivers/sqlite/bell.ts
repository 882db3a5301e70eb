import { closeSync, type FSWatcher, fstatSync, watch, writeSync } from 'node:fs'
import { openBeside } from './beside.ts'

/** A file whose every write wakes the processes that watch it. A hint, and no more: it may be lost. */
export interface Bell {
  /** Wake the others; after the COMMIT that they are to see. */
  ring(): void
  /** Whether rings are heard as they come; otherwise the listener has to look for itself, more often. */
  readonly heard: boolean
  /** Hear rings, this process's own included, until `deafen`. */
  listen(): void
  deafen(): void
  close(): void
}

/**
 * Watching the database's -wal file itself misses events; a file that is written after each COMMIT does not.
 * It holds nothing, and neither descriptor nor watcher keeps the process alive.
 */
export function createBell(database: string, suffix: string, onRing: () => void): Bell {
  let fd: number | undefined
  let watcher: FSWatcher | undefined

  function open(): number {
    if (isGone()) closeFile()
    fd ??= openBeside(database, suffix)
    return fd
  }

  /** Someone may have removed it: then the others ring at a new one. */
  function isGone(): boolean {
    return fd !== undefined && fstatSync(fd).nlink === 0
  }

  function closeFile() {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }

  function deafen() {
    watcher?.close()
    watcher = undefined
  }

  function listen() {
    if (watcher) return
    try {
      open()
      watcher = watch(database + suffix, { persistent: false }, (event) => {
        if (event === 'rename' || isGone()) {
          deafen()
          listen()
        }
        onRing()
      })
      watcher.on('error', deafen)
    } catch {
      deafen()
    }
  }

  return {
    ring() {
      try {
        writeSync(open(), '.', 0)
      } catch {
        closeFile()
      }
    },
    get heard() {
      return watcher !== undefined
    },
    listen,
    deafen,
    close() {
      deafen()
      closeFile()
    },
  }
}
