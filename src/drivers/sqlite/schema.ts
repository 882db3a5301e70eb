import { BackendError } from '../../errors.ts'
import type { Database } from './library.ts'

/** `Mill` in ASCII: marks a file as ours, in its header. */
const APPLICATION_ID = 0x4d696c6c

/**
 * One step for each version of the schema; a file of version n needs the steps from n on. A step that has
 * been released is never changed. States are numbers: the index in `jobStates` (0 scheduled, 1 waiting,
 * 2 active, 3 retrying, 4 succeeded, 5 failed, 6 cancelled, 7 expired).
 *
 * `jobs.seq` is the place in line. A job that becomes waiting gets a new one at the end; one that is handed
 * back, or whose worker was lost, kept its own, which by then is the front. Every index is partial, so that
 * what a verb looks for is one short range, and a state costs index entries only while it lasts.
 * `hold` is the random number of the take that handed it out: with `token` the fence, since an id that was
 * forgotten may come again. `next` is set while scheduled or retrying, `expires` until the first start, `forget` once a record of its
 * own has ended (a flow's members go with `flows.forget`).
 */
const steps = [
  `CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    task TEXT NOT NULL,
    body TEXT NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    hold INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    marked INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL,
    due_in INTEGER,
    due_at INTEGER,
    expires_in INTEGER,
    keep_succeeded INTEGER NOT NULL,
    keep_failed INTEGER NOT NULL,
    flow TEXT,
    slot_join TEXT,
    slot_index INTEGER,
    notify TEXT,
    next INTEGER,
    expires INTEGER,
    forget INTEGER,
    started INTEGER,
    ended INTEGER,
    worker TEXT,
    code TEXT,
    progress TEXT,
    result TEXT,
    attempts TEXT
  );
  CREATE INDEX jobs_line ON jobs (queue, priority DESC) WHERE state = 1 AND crashes = 0;
  CREATE INDEX jobs_suspects ON jobs (queue, priority DESC) WHERE state = 1 AND crashes > 0;
  CREATE INDEX jobs_next ON jobs (next) WHERE next IS NOT NULL;
  CREATE INDEX jobs_held ON jobs (worker) WHERE state = 2;
  CREATE INDEX jobs_expires ON jobs (expires) WHERE expires IS NOT NULL;
  CREATE INDEX jobs_forget ON jobs (forget) WHERE forget IS NOT NULL;
  CREATE INDEX jobs_flow ON jobs (flow, state) WHERE flow IS NOT NULL;

  CREATE TABLE flows (
    id TEXT PRIMARY KEY,
    outline TEXT NOT NULL,
    keep_succeeded INTEGER NOT NULL,
    keep_failed INTEGER NOT NULL,
    notify TEXT,
    marked INTEGER NOT NULL DEFAULT 0,
    unswept INTEGER,
    forget INTEGER
  );
  CREATE INDEX flows_unswept ON flows (unswept) WHERE unswept IS NOT NULL;
  CREATE INDEX flows_forget ON flows (forget) WHERE forget IS NOT NULL;

  CREATE TABLE joins (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    flow TEXT NOT NULL,
    size INTEGER NOT NULL,
    filled INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0,
    mark INTEGER,
    flags INTEGER NOT NULL,
    slot_join TEXT,
    slot_index INTEGER,
    created INTEGER NOT NULL,
    ended INTEGER,
    jobs TEXT
  );
  CREATE INDEX joins_flow ON joins (flow);

  CREATE TABLE slots (
    join_n INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    filled_by TEXT NOT NULL,
    PRIMARY KEY (join_n, slot)
  ) WITHOUT ROWID;

  CREATE TABLE workers (
    worker TEXT PRIMARY KEY,
    queues TEXT NOT NULL,
    lease INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('offset', 0), ('marks', 0);`,

  `CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    due INTEGER,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX schedules_due ON schedules (due) WHERE due IS NOT NULL;
  CREATE TABLE locks (
    name TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    until TEXT NOT NULL,
    ends INTEGER,
    look INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX locks_look ON locks (look);
  INSERT INTO meta VALUES ('versions', 0);`,
]

/** The version that this release reads and writes. */
export const SCHEMA_VERSION = steps.length

/**
 * The version of the schema in a file: 0 for a new one. Writes nothing, so that a file that is not ours
 * stays as it is. Throws `BACKEND_VERSION` for a newer one and `BACKEND_CORRUPT` for another program's.
 */
export function readVersion(db: Database, file: string): number {
  const header = (name: string) => (db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!
  const version = header('user_version')
  if (header('application_id') !== APPLICATION_ID) {
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_master').get() as { tables: number }
    if (tables === 0 && version === 0) return 0
    throw new BackendError(
      'BACKEND_CORRUPT',
      `The file "${file}" is an SQLite database of another program. It was left as it is. Name another file.`,
    )
  }
  if (version > SCHEMA_VERSION) {
    throw new BackendError(
      'BACKEND_VERSION',
      `The file "${file}" has schema version ${version}, and this Millrace knows ${SCHEMA_VERSION}. ` +
        'Update Millrace in every process that uses the file.',
    )
  }
  return version
}

/**
 * Bring a file up to date in one transaction. Of several processes one migrates; the others wait for its
 * lock and find nothing left to do.
 */
export function migrate(db: Database, file: string): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(readVersion(db, file))) db.exec(step)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
