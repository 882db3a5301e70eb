import type { Control, Records, Schedules } from '../../port/index.ts'
import { createBells } from './bells.ts'
import { fileClock } from './clock.ts'
import { type Connection, connect } from './connection.ts'
import { createControl } from './control.ts'
import { translate } from './faults.ts'
import type { Ground } from './ground.ts'
import { createSync, emptyLog, trimLog } from './log.ts'
import { type Moment, moment, number } from './moment.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { createRecords } from './records.ts'
import { createSchedules } from './schedules.ts'
import { prepare } from './statements.ts'
import type { Settings } from './url.ts'
import { createWriter } from './writer.ts'

/** An open file with all that works on it. */
export interface Store {
  readonly connection: Connection
  readonly ground: Ground
  readonly records: Records
  readonly control: Control
  readonly schedules: Schedules
  readonly outbox: Outbox
  /** Keep the write-ahead log in bounds. */
  trim(): void
  /** Write what is under way, and let go of the file. */
  close(): Promise<void>
}

/** Open a file; what fails on the way leaves nothing open. */
export async function openStore(settings: Settings): Promise<Store> {
  const connection = await connect(settings)
  try {
    return createStore(connection, settings)
  } catch (error) {
    connection.db.close()
    throw translate(error, settings.file)
  }
}

/** Everything on one open connection: clock, bells and writer, and what reads and commands. */
function createStore(connection: Connection, settings: Settings): Store {
  const { db, path, file } = connection
  const sql = prepare(db)
  const clock = fileClock(path)
  const look = (): Moment => moment(sql, clock)
  const dataVersion = db.prepare('PRAGMA data_version')
  const bells = createBells({
    database: path,
    version: () => quietly(() => (dataVersion.get() as { data_version: number }).data_version),
    marks: () => quietly(() => number(sql.meta, 'marks')),
  })
  const sync = settings.durability === 'full' ? createSync(path, file) : undefined
  const writer = createWriter<Moment>({
    db,
    file,
    busyTimeout: settings.busyTimeout,
    begin: look,
    durable: sync ? sync.durable : (done) => done(undefined),
    committed: bells.announceWork,
    kept: bells.announceChanges,
  })
  const ground: Ground = { clock, writer, bells, look }
  return {
    connection,
    ground,
    records: createRecords(db, ground),
    control: createControl(ground),
    schedules: createSchedules(ground),
    outbox: createOutbox(db, ground),
    trim: () => trimLog(db, path),
    async close() {
      await writer.idle()
      await sync?.close()
      bells.close()
      clock.close()
      emptyLog(db)
      db.close()
    },
  }
}

/** For hints: a file that is locked just now may have changed. */
function quietly(look: () => number): number {
  try {
    return look()
  } catch {
    return Number.NaN
  }
}
