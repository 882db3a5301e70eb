import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './children.mjs'
import { now, openJournal } from './journal.mjs'
import { randomBy } from './random.mjs'

const WORKER = new URL('./worker.mjs', import.meta.url)

/**
 * Worker processes in a storm: every 100 to 500 ms a random one is killed, or stopped for longer than its
 * lease. A killed one is started again at once, as a supervisor would.
 *
 * @param {{ url: string, folder: string, workers: number, lease: number, seed: number }} settings
 */
export function startStorm({ url, folder, workers, lease, seed }) {
  const random = randomBy(seed ^ 0x5707)
  const note = openJournal(folder, 'storm')
  const counts = { killed: 0, stopped: 0 }
  /** Ends that nobody asked for. @type {string[]} */
  const deaths = []
  let started = 0
  let calming = false
  let calmAt = 0
  /** @type {One[]} */
  const fleet = Array.from({ length: workers }, (_, i) => start(i))
  const blowing = blow()

  /**
   * @typedef {object} One
   * @property {string} name
   * @property {import('node:child_process').ChildProcess} child
   * @property {Promise<unknown>} exited
   * @property {Promise<unknown>} up
   * @property {Promise<void>} [asleep]
   * @property {boolean} killed
   */

  /** @param {number} i */
  function start(i) {
    const name = `worker-${i}-${++started}`
    const { child, exited } = startChild(WORKER, { url, folder, name, lease })
    const up = once(child, 'message')
    /** @type {One} */
    const one = { name, child, exited, up, killed: false }
    void exited.then((how) => {
      if (!one.killed && how !== 0) deaths.push(`${name} ended with ${how}`)
      if (!calming) fleet[i] = start(i)
    })
    return one
  }

  async function blow() {
    while (!calming) {
      await sleep(random.between(100, 500))
      const one = random.pick(fleet)
      const stop = random.next() < 0.5
      const long = random.between(1100, 2500) / 1000
      if (calming || one.killed) continue
      calmAt = now()
      if (stop && !one.asleep) {
        counts.stopped++
        one.asleep = pause(one, long * lease)
      } else {
        counts.killed++
        one.killed = true
        one.child.kill('SIGKILL')
        note({ did: 'blow', id: one.name, message: 'SIGKILL' })
      }
    }
  }

  /** @param {One} one @param {number} ms */
  async function pause(one, ms) {
    one.child.kill('SIGSTOP')
    note({ did: 'blow', id: one.name, message: 'SIGSTOP' })
    await sleep(ms)
    calmAt = now()
    one.child.kill('SIGCONT')
    note({ did: 'blow', id: one.name, message: 'SIGCONT' })
    one.asleep = undefined
  }

  return {
    counts,
    deaths,
    /** No more kills; resolves once all processes are awake, to the time of the last blow. */
    async calm() {
      calming = true
      await blowing
      await Promise.all(fleet.map(({ asleep }) => asleep))
      fleet.forEach((one, i) => {
        if (one.killed) fleet[i] = start(i)
      })
      await Promise.all(fleet.map(({ up }) => up))
      return calmAt
    },
    /** Ask all to stop, and wait until they have. */
    async stop() {
      for (const { child } of fleet) child.kill('SIGTERM')
      await Promise.all(fleet.map(({ exited }) => exited))
    },
  }
}
