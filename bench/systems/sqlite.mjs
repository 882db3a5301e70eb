import { now } from '../harness/clock.mjs'
import { openDatabase } from './sqlite-library.mjs'

const BATCH = 1000
/** With it, a row takes about as many bytes as a waiting job of Millrace's. */
const REST = 'x'.repeat(180)

/**
 * The raw limit of the SQLite library: a table of small rows, inserts of 1,000 in one transaction, and
 * claims of as many as run at once, deleted together: two commits for each such batch. No ids of its own, no
 * result kept, no index but that of the line.
 *
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Commands>}
 */
export async function commands({ url, durability }) {
  const db = openDatabase(url.replace(/^sqlite:|\?.*$/g, ''), durability)
  db.exec(`CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, worker TEXT, body TEXT NOT NULL, rest TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS jobs_line ON jobs (id) WHERE state = 0`)
  const insert = db.prepare('INSERT INTO jobs (state, body, rest) VALUES (0, ?, ?)')
  const claim = db.prepare(
    `UPDATE jobs SET state = 1, worker = 'w' WHERE id IN (SELECT id FROM jobs WHERE state = 0 ORDER BY id LIMIT ?)
     RETURNING id, body, rest`,
  )
  const remove = db.prepare('DELETE FROM jobs WHERE id = ? AND state = 1 AND worker = ?')

  /** @param {() => void} work */
  function transaction(work) {
    db.exec('BEGIN IMMEDIATE')
    work()
    db.exec('COMMIT')
  }

  /** @param {number} jobs */
  function inserts(jobs) {
    for (let i = 0; i < jobs; i += BATCH) {
      transaction(() => {
        for (let k = i; k < Math.min(i + BATCH, jobs); k++) insert.run(JSON.stringify({ x: k, y: 2 }), REST)
      })
    }
  }

  /** Inserts by the second, after some to warm up. @param {{ jobs: number }} args */
  async function insertRate({ jobs }) {
    inserts(5000)
    const began = now()
    inserts(jobs)
    return { rate: (jobs * 1000) / (now() - began) }
  }

  return {
    adds: insertRate,
    bulks: insertRate,
    /** @param {{ jobs: number }} args */
    async fill({ jobs }) {
      inserts(jobs)
    },
    /** @param {{ jobs: number, warm: number, concurrency: number }} args */
    async drain({ jobs, warm, concurrency }) {
      let began = 0
      let cpu = process.cpuUsage()
      let sum = 0
      for (let done = 0; done < jobs; ) {
        const claimed = claim.all(concurrency)
        transaction(() => {
          for (const { id, body } of claimed) {
            const { x, y } = JSON.parse(body)
            sum += x + y
            remove.run(id, 'w')
          }
        })
        done += claimed.length
        if (began === 0 && done >= warm) {
          began = now()
          cpu = process.cpuUsage()
        }
      }
      const ms = now() - began
      const { user, system } = process.cpuUsage(cpu)
      if (sum === 0) throw new Error('nothing was done')
      return { rate: ((jobs - warm) * 1000) / ms, cpu: (user + system) / (jobs - warm) }
    },
    async close() {
      db.close()
    },
  }
}
