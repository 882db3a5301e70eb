import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateRabbit } from './rabbitmq.mjs'
import { privateRedis } from './redis.mjs'

/** @typedef {import('./types.ts').Place} Place */

let used = 0

/**
 * Where a storm's jobs are kept, by the name of the backend: a new SQLite file, a Redis of its own that
 * is restarted on the way, or a server that runs.
 *
 * @type {Record<string, (url: string | undefined) => Promise<Place>>}
 */
export const places = {
  sqlite: file,
  async redis(url = process.env.MILLRACE_TEST_REDIS_URL) {
    return url ? server(url, 'redis://127.0.0.1:6379') : privateRedis()
  },
  amqp: async (url) => broker(url, await privateRedis()),
  async 'amqp-sqlite'(url) {
    const { lock: _, ...store } = await file(undefined)
    return broker(url, store)
  },
}

/**
 * RabbitMQ before a store: restarted on the way, and the second time wiped.
 *
 * @param {string | undefined} url @param {Place} store
 * @returns {Promise<Place>}
 */
async function broker(url = process.env.MILLRACE_TEST_AMQP_URL, { url: results, restart: _, ...store }) {
  // The storm's processes inherit it.
  process.env.MILLRACE_RESULTS = results
  if (url) return { ...store, url: `${url}?namespace=chaos-${process.pid}-${++used}` }
  const rabbit = await privateRabbit()
  let restarts = 0
  return {
    ...store,
    url: rabbit.url,
    async restart() {
      await rabbit.kill()
      await rabbit.start()
      if (++restarts !== 2) return
      await rabbit.wipe()
      await rabbit.start()
    },
  }
}

/** @param {string | undefined} url */
async function file(url) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-'))
  const file = url?.replace(/^sqlite:|\?.*$/g, '') ?? join(folder, 'jobs.db')
  return {
    url: url ?? `sqlite:${file}`,
    witness: witness(file),
    lock: () => lock(file),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** @param {string | undefined} url @param {string} example @returns {Place} */
function server(url, example) {
  if (!url) throw new Error(`Expected the server's URL: --url ${example}`)
  return { url, remove: async () => {} }
}

/** As a backup or a database browser may hold it. @param {string} file @returns {() => void} */
function lock(file) {
  const db = new (library().DatabaseSync)(file)
  // Whoever writes just now is soon done.
  db.exec('PRAGMA busy_timeout = 10000')
  db.exec('BEGIN IMMEDIATE')
  return () => db.close()
}

/**
 * Triggers in the file itself, which count ends whoever makes them: a job that becomes final, one that was
 * final and is written again, and a join that is decided twice.
 *
 * @param {string} file
 */
function witness(file) {
  /** @template T @param {(db: any) => T} use @returns {T} */
  const withFile = (use) => {
    const db = new (library().DatabaseSync)(file)
    try {
      db.exec('PRAGMA busy_timeout = 10000')
      return use(db)
    } finally {
      db.close()
    }
  }
  return {
    start: () =>
      withFile((db) =>
        db.exec(`CREATE TABLE ends (id TEXT NOT NULL, again INTEGER NOT NULL);
          CREATE TRIGGER job_ends AFTER UPDATE OF state, result ON jobs WHEN NEW.state >= 4 OR OLD.state >= 4
            BEGIN INSERT INTO ends VALUES (NEW.id, OLD.state >= 4); END;
          CREATE TRIGGER join_ends AFTER UPDATE OF state ON joins WHEN OLD.state > 0
            BEGIN INSERT INTO ends VALUES (NEW.id, 1); END`),
      ),
    /** @returns {import('./types.ts').Ended[]} */
    read: () =>
      withFile((db) =>
        db
          .prepare('SELECT id, again FROM ends')
          .all()
          .map((/** @type {{ id: string, again: number }} */ { id, again }) => ({ id, again: again === 1 })),
      ),
  }
}

function library() {
  const require = createRequire(import.meta.url)
  const [major = 0] = process.versions.node.split('.').map(Number)
  return require(major >= 24 ? 'node:sqlite' : '@photostructure/sqlite')
}
