import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openDatabase, sqliteLibrary } from '../systems/sqlite-library.mjs'

/** @param {import('../types.ts').Place} place */
const fileOf = ({ url }) => url.replace(/^sqlite:|\?.*$/g, '')

/** A new SQLite file, shared by a producer's and a worker's process. @type {import('../types.ts').BackendKind} */
export const sqlite = {
  processes: true,
  pace: 1,
  beside: { 'raw SQLite': new URL('../systems/sqlite.mjs', import.meta.url).href },
  async create({ folder, durability }) {
    const file = join(await mkdtemp(join(folder, 'millrace-bench-')), 'jobs.db')
    return { url: `sqlite:${file}?durability=${durability}`, durability }
  },
  async size(place) {
    const db = openDatabase(fileOf(place), place.durability)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const value = (/** @type {string} */ name) => db.prepare(`SELECT * FROM pragma_${name}`).get()[name]
    const bytes = (value('page_count') - value('freelist_count')) * value('page_size')
    db.close()
    return bytes
  },
  remove: (place) => rm(dirname(fileOf(place)), { recursive: true, force: true }),
  async facts({ durability }) {
    const { name, DatabaseSync } = sqliteLibrary()
    const db = new DatabaseSync(':memory:')
    const { version } = db.prepare('SELECT sqlite_version() AS version').get()
    db.close()
    return { SQLite: `${version}, ${name}, WAL, synchronous ${durability.toUpperCase()}` }
  },
}
