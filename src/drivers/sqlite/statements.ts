import { createInserter } from './insert.ts'
import type { Database, Statement } from './library.ts'
import { JOB, ROW } from './row.ts'

/**
 * Every statement of the hot verbs and of the moves between states, prepared once. Each says what move it
 * makes; state numbers are in row.ts, the meaning of the columns in schema.ts.
 */
export function prepare(db: Database) {
  const rows = (sql: string): Statement => db.prepare(sql)
  const arrays = (sql: string): Statement => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  const line = (suspects: string) => `SELECT ${JOB}, seq, token, failures, crashes, due, expires FROM jobs
    WHERE state = 1 AND crashes ${suspects} AND queue = ? ORDER BY priority DESC, seq LIMIT ?`

  return {
    meta: arrays('SELECT value FROM meta WHERE name = ?'),
    setMeta: rows('UPDATE meta SET value = ? WHERE name = ?'),
    bumpMarks: rows(`UPDATE meta SET value = value + 1 WHERE name = 'marks'`),

    // – submit –
    /** new → waiting: a job with nothing but the usual. No row: its id is taken. */
    insertPlain: rows(`INSERT INTO jobs
      (state, id, queue, priority, task, body, created, due, keep_succeeded, keep_failed, notify)
      VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING`),
    /** new → scheduled or waiting. No row: its id is taken. */
    insert: rows(`INSERT INTO jobs
      (state, id, queue, priority, task, body, created, due, due_in, due_at, next, expires_in, expires,
       keep_succeeded, keep_failed, flow, slot_join, slot_index, notify)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`),
    inserter: createInserter(db),
    anyFlow: arrays('SELECT 1 FROM flows LIMIT 1'),
    hasJob: arrays('SELECT 1 FROM jobs WHERE id = ?'),
    hasJoin: arrays('SELECT 1 FROM joins WHERE id = ?'),
    insertFlow: rows(
      'INSERT INTO flows (id, outline, keep_succeeded, keep_failed, notify) VALUES (?, ?, ?, ?, ?)',
    ),
    insertJoin: rows(`INSERT INTO joins (id, flow, size, flags, slot_join, slot_index, created, jobs)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    /** waiting or scheduled → succeeded, as it is stored: it was done before. */
    done: rows(
      `UPDATE jobs SET state = 4, result = ?, ended = ?, forget = ?, next = NULL, expires = NULL WHERE id = ?`,
    ),
    removeDone: rows('DELETE FROM jobs WHERE id = ?'),

    // – take –
    /** Jobs next in a line, those under which a worker was lost apart from the others. */
    nextInLine: arrays(line('= 0')),
    nextSuspect: arrays(line('> 0')),
    anyWaiting:
      arrays(`SELECT 1 WHERE EXISTS (SELECT 1 FROM jobs WHERE state = 1 AND crashes = 0 AND queue = ?1)
      OR EXISTS (SELECT 1 FROM jobs WHERE state = 1 AND crashes > 0 AND queue = ?1)`),
    holdsSuspect: arrays('SELECT 1 FROM jobs WHERE state = 2 AND worker = ? AND crashes > 0 LIMIT 1'),
    /** waiting → active, with a new token. */
    claim: rows(
      `UPDATE jobs SET state = 2, token = token + 1, hold = ?, worker = ?, started = ?, expires = NULL WHERE seq = ?`,
    ),
    claimMany:
      rows(`UPDATE jobs SET state = 2, token = token + 1, hold = ?, worker = ?, started = ?, expires = NULL
      WHERE seq IN (SELECT value FROM json_each(?))`),
    extendLease: rows('UPDATE workers SET expires = ? WHERE worker = ?'),
    addWorker: rows('INSERT INTO workers (worker, queues, lease, expires) VALUES (?, ?, ?, ?)'),
    removeWorker: rows('DELETE FROM workers WHERE worker = ?'),
    /** What a worker holds. */
    held: arrays('SELECT id, hold, marked, flow, slot_join FROM jobs WHERE state = 2 AND worker = ?'),
    heldRows: rows(`SELECT ${ROW} FROM jobs WHERE state = 2 AND worker = ? LIMIT ?`),
    setProgress: rows('UPDATE jobs SET progress = ? WHERE seq = ? AND token = ? AND hold = ? AND state = 2'),

    // – finish –
    /** active → final, if the token is still the delivery's. */
    finish: rows(`UPDATE jobs SET state = ?, result = ?, ended = ?, forget = ?
      WHERE seq = ? AND token = ? AND hold = ? AND state = 2`),
    /** active → gone (`keep: 0`), if the token is still the delivery's. */
    finishUnkept: rows('DELETE FROM jobs WHERE seq = ? AND token = ? AND hold = ? AND state = 2'),
    rowById: rows(`SELECT ${ROW} FROM jobs WHERE id = ?`),
    rowBySeq: rows(`SELECT ${ROW} FROM jobs WHERE seq = ?`),
    /** idle or active → final. */
    end: rows(`UPDATE jobs SET state = ?, result = NULL, code = ?, ended = ?, forget = ?, next = NULL,
      expires = NULL, failures = ?, crashes = ?, attempts = ? WHERE seq = ?`),
    endUnkept: rows('DELETE FROM jobs WHERE seq = ?'),
    /** active → retrying. */
    postpone: rows('UPDATE jobs SET state = 3, next = ?, failures = ?, attempts = ? WHERE seq = ?'),
    /** active → waiting, at its old place, which is the front by now. */
    putBack: rows('UPDATE jobs SET state = 1, crashes = ?, attempts = ? WHERE seq = ?'),

    // – line –
    lastPlace: arrays('SELECT max(seq) FROM jobs'),
    due: arrays('SELECT seq FROM jobs WHERE next <= ? ORDER BY next, seq LIMIT ?'),
    nextDue: arrays('SELECT min(next) FROM jobs WHERE next IS NOT NULL'),
    /** scheduled or retrying → waiting, at the end of its line. */
    promote: rows('UPDATE jobs SET state = 1, next = NULL, seq = ? WHERE seq = ?'),
    /** failed, cancelled or expired → waiting, as if new; its token and its history stay. */
    retry:
      rows(`UPDATE jobs SET state = 1, seq = ?, due = ?, attempts = ?, failures = 0, crashes = 0, marked = 0, result = NULL, code = NULL,
      ended = NULL, forget = NULL WHERE seq = ?`),
    ending: rows('SELECT result, ended FROM jobs WHERE seq = ?'),
    markJob: rows('UPDATE jobs SET marked = 1 WHERE seq = ?'),

    // – joins, for the arrive rule –
    join: rows('SELECT id, flow, size, state, mark, flags, slot_join, slot_index FROM joins WHERE id = ?'),
    joinJobs: arrays('SELECT jobs FROM joins WHERE id = ?'),
    /** The first write to a slot wins. */
    fillSlot: rows(`INSERT INTO slots (join_n, slot, ok, filled_by) SELECT n, ?, ?, ? FROM joins WHERE id = ?
      ON CONFLICT DO NOTHING`),
    countSlot: arrays(
      'UPDATE joins SET filled = filled + 1, failed = failed + ? WHERE id = ? RETURNING filled, failed',
    ),
    /** join: active → decided. */
    decide: rows('UPDATE joins SET state = ?, ended = ? WHERE id = ?'),
    forgetFlow: rows('UPDATE flows SET forget = ? WHERE id = ?'),
    flow: rows('SELECT id, outline, keep_succeeded, keep_failed, notify, marked FROM flows WHERE id = ?'),
    marked: arrays('SELECT marked FROM flows WHERE id = ?'),
    markJoin: rows('UPDATE joins SET mark = ? WHERE id = ?'),
    /** A mark was set in this flow: its idle members are to be looked through. */
    markFlow: rows('UPDATE flows SET marked = 1, unswept = ? WHERE id = ?'),

    // – schedules –
    schedule: rows('SELECT name, due, version, body FROM schedules WHERE name = ?'),
    schedulesAfter: rows(
      'SELECT name, due, version, body FROM schedules WHERE name > ? ORDER BY name LIMIT ?',
    ),
    writeSchedule: rows(`INSERT INTO schedules (name, due, version, body) VALUES (?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET due = excluded.due, version = excluded.version, body = excluded.body`),
    removeSchedule: rows('DELETE FROM schedules WHERE name = ?'),
    newVersion: arrays(`UPDATE meta SET value = value + 1 WHERE name = 'versions' RETURNING value`),
    dueSchedules: arrays('SELECT name FROM schedules WHERE due <= ? ORDER BY due, name LIMIT ?'),
    nextSchedule: arrays('SELECT min(due) FROM schedules WHERE due > ?'),

    // – locks –
    lock: rows('SELECT name, id, until, ends FROM locks WHERE name = ?'),
    writeLock: rows(`INSERT INTO locks (name, id, until, ends, look) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name)
      DO UPDATE SET id = excluded.id, until = excluded.until, ends = excluded.ends, look = excluded.look`),
    removeLock: rows('DELETE FROM locks WHERE name = ?'),
    lookLock: rows('UPDATE locks SET look = ? WHERE name = ?'),
    locksToSee: rows('SELECT name, id, until, ends FROM locks WHERE look <= ? ORDER BY look LIMIT ?'),
    holder: rows('SELECT seq, state, expires FROM jobs WHERE id = ?'),
    /** idle → scheduled, or waiting at this place: as another job says. */
    reline:
      rows(`UPDATE jobs SET seq = ?, state = ?, task = ?, body = ?, due = ?, due_in = ?, due_at = ?, next = ?,
      expires_in = ?, expires = ?, keep_succeeded = ?, keep_failed = ? WHERE seq = ?`),

    // – sweep –
    lapsed: arrays('SELECT worker FROM workers WHERE expires <= ? ORDER BY expires LIMIT ?'),
    expired: rows(`SELECT ${ROW} FROM jobs WHERE expires <= ? ORDER BY expires LIMIT ?`),
    longLease: arrays('SELECT 1 FROM workers WHERE expires > ?1 + lease + 1000'),
    /** A lease that was given by a clock which has been set back since: no longer than if it were given now. */
    shortenLeases: rows('UPDATE workers SET expires = ?1 + lease WHERE expires > ?1 + lease + 1000'),
    unswept: arrays('SELECT id FROM flows WHERE unswept IS NOT NULL ORDER BY unswept LIMIT ?'),
    setUnswept: rows('UPDATE flows SET unswept = ? WHERE id = ?'),
    idleMembers: rows(
      `SELECT ${ROW} FROM jobs WHERE flow = ? AND state IN (0, 1, 3) AND slot_join IS NOT NULL LIMIT ?`,
    ),
    faded: arrays('SELECT 1 FROM jobs WHERE forget <= ? LIMIT 1'),
    forget: rows(
      'DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE forget <= ? ORDER BY forget LIMIT ?)',
    ),
    fading: arrays(`SELECT id FROM flows WHERE forget <= ? AND NOT EXISTS
      (SELECT 1 FROM jobs WHERE flow = flows.id AND state < 4) ORDER BY forget LIMIT 1`),
    forgetMembers: rows('DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE flow = ? LIMIT ?)'),
    forgetSlots: rows('DELETE FROM slots WHERE join_n IN (SELECT n FROM joins WHERE flow = ?)'),
    forgetJoins: rows('DELETE FROM joins WHERE flow = ?'),
    removeFlow: rows('DELETE FROM flows WHERE id = ?'),
  }
}

export type Statements = ReturnType<typeof prepare>
