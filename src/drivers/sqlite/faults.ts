import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { BackendError } from '../../errors.ts'

/** SQLite's primary result codes that we tell apart. The library's own `code` is always the same. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** SQLite's primary result code, if the error is SQLite's. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether another process holds a lock just now: the same statement may work in a moment. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED
}

/**
 * What an error of the library means to a caller, and what to do about it.
 *
 * @param file - the file as the user named it
 * @returns a `BackendError` for SQLite's errors; anything else as it is
 */
export function translate(error: unknown, file: string): unknown {
  const code = resultCode(error)
  if (code === undefined) return isClosedError(error) ? closed(file) : error
  const say = (name: ConstructorParameters<typeof BackendError>[0], message: string, retryable = false) =>
    new BackendError(name, message, { cause: error, retryable })
  switch (code) {
    case BUSY:
    case LOCKED:
      return locked(file, error)
    case FULL:
      return say(
        'BACKEND_FULL',
        `The database file "${file}" can't grow: its disk or its size limit is full. Nothing was written. Free some space.`,
        true,
      )
    case READONLY:
      return readOnly(file, error)
    case CANTOPEN:
      return cantOpen(file, error)
    case CORRUPT:
    case NOTADB:
      return say(
        'BACKEND_CORRUPT',
        `The file "${file}" is damaged, or is no SQLite database (${messageOf(error)}). It was left as it is. ` +
          'Restore a copy of it, or move it away and start with a new one.',
      )
    default:
      return say('BACKEND_ERROR', `SQLite failed on "${file}": ${messageOf(error)} (${errcodeOf(error)}).`)
  }
}

/** What every call after the end gets. */
export const closed = (file: string): BackendError =>
  new BackendError('BACKEND_CLOSED', `The backend of "${file}" is closed. Connect again.`)

/** The library's word for a call on a database that was closed meanwhile. */
function isClosedError(error: unknown): boolean {
  return error instanceof Error && /database is not open|statement has been finalized/i.test(error.message)
}

/** Another process has held the lock for longer than the caller may wait. */
export function locked(file: string, cause: unknown): BackendError {
  return new BackendError(
    'BACKEND_LOCKED',
    `The database file "${file}" is locked by another process, and stayed so. Nothing was written. ` +
      'Look for a program that holds a transaction open, such as a database browser or a backup.',
    { cause, retryable: true },
  )
}

function readOnly(file: string, cause: unknown): BackendError {
  return new BackendError(
    'BACKEND_READ_ONLY',
    `The database file "${file}" can't be written by this user. ` +
      'Give this user write access to the file and to its folder.',
    { cause },
  )
}

function cantOpen(file: string, cause: unknown): BackendError {
  const folder = dirname(resolve(file))
  if (existsSync(folder) && !(writable(folder) && (!existsSync(file) || writable(resolve(file))))) {
    return readOnly(file, cause)
  }
  const what = existsSync(folder)
    ? 'Look whether it is a file, and whether this process may open more files.'
    : `Its folder does not exist. Run: mkdir -p "${dirname(file)}"`
  return new BackendError('BACKEND_UNAVAILABLE', `The database file "${file}" can't be opened. ${what}`, {
    cause,
  })
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const errcodeOf = (error: unknown): number => (error as { errcode: number }).errcode
