import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {import('./types.ts').Entry} Entry */

/** The machine's monotonic clock: one for all processes, and out of reach of a faked wall clock. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

/**
 * An append-only log of one process. Each call is one write, so a killed process leaves whole entries.
 *
 * @param {string} folder
 * @param {string} name of the process; its entries carry it
 * @returns {(...entries: Omit<Entry, 'by' | 'at'>[]) => Entry[]} what it has written
 */
export function openJournal(folder, name) {
  const file = openSync(join(folder, `${name}.log`), 'a')
  return (...entries) => {
    const at = now()
    const written = entries.map((entry) => ({ ...entry, by: name, at }))
    if (entries.length > 0) writeSync(file, written.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    return written
  }
}

/**
 * All entries of all processes, in the order of time.
 *
 * @param {string} folder
 * @returns {Entry[]}
 */
export function readJournals(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').flatMap(entryOf))
    .sort((a, b) => a.at - b.at)
}

/** A kill in the middle of a long write may tear its last line. @param {string} line @returns {Entry[]} */
function entryOf(line) {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
