import { pause } from '../../async/signals.ts'
import type { PulseConnect } from '../../port/index.ts'
import { fileClock } from './clock.ts'
import { connect as open } from './connection.ts'
import { isBusy, translate } from './faults.ts'
import type { Settings } from './url.ts'

/** How long one beat tries to get past another's lock. */
const PATIENCE = 2000

/**
 * The helper thread's own connection, which renews one worker's lease while the main loop is blocked. No call
 * of it waits for a lock: a thread that is ended within a call of the packaged library takes the process
 * with it (see "a worker that is asked to stop exits with 0 once the file is free").
 */
export const connect: PulseConnect = async (data, worker, lease) => {
  const { db, path, file } = await open(data as Settings)
  const clock = fileClock(path)
  db.exec('PRAGMA busy_timeout = 0')
  const renew = db.prepare(
    `UPDATE workers SET expires = ? + (SELECT value FROM meta WHERE name = 'offset') WHERE worker = ?`,
  )
  return {
    async beat() {
      for (const since = performance.now(); ; await pause(2 + Math.random() * 8)) {
        clock.calibrate()
        try {
          renew.run(clock.now() + lease, worker)
          return
        } catch (error) {
          if (!isBusy(error) || performance.now() - since > PATIENCE) throw translate(error, file)
        }
      }
    },
    async close() {
      clock.close()
      db.close()
    },
  }
}
