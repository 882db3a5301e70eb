import { constants, fchmodSync, fchownSync, fstatSync, openSync, statSync } from 'node:fs'

/**
 * Open a file of our own beside the database, and make it if it is missing: for whom the database is
 * writable, this is too (as SQLite does it with its -wal file).
 */
export function openBeside(database: string, suffix: string): number {
  const path = database + suffix
  try {
    return openSync(path, constants.O_RDWR)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    const { mode, uid, gid } = statSync(database)
    const own = fstatSync(fd)
    if (own.uid !== uid || own.gid !== gid) fchownSync(fd, uid, gid)
    fchmodSync(fd, mode & 0o666)
  } catch {
    // Not ours to change: then only this user's processes ring and hear it, and others poll.
  }
  return fd
}
