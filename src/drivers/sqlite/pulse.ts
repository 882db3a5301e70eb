import type { PulseConnect } from '../../port/index.ts'
import { fileClock } from './clock.ts'
import { connect as open } from './connection.ts'
import { translate } from './faults.ts'
import type { Settings } from './url.ts'

/** In a helper thread it is no harm to wait for a lock. */
const PATIENCE = 2000

/** The helper thread's own connection, which renews one worker's lease while the main loop is blocked. */
export const connect: PulseConnect = async (data, worker, lease) => {
  const { db, path, file } = await open(data as Settings)
  const clock = fileClock(path)
  db.exec(`PRAGMA busy_timeout = ${PATIENCE}`)
  const renew = db.prepare(
    `UPDATE workers SET expires = ? + (SELECT value FROM meta WHERE name = 'offset') WHERE worker = ?`,
  )
  return {
    async beat() {
      clock.calibrate()
      try {
        renew.run(clock.now() + lease, worker)
      } catch (error) {
        throw translate(error, file)
      }
    },
    async close() {
      clock.close()
      db.close()
    },
  }
}
