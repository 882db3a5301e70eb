import { now } from '../harness/clock.mjs'
import { add } from '../harness/commands.mjs'
import { lanes } from '../harness/lanes.mjs'

/** @typedef {{ x: number, y: number }} Input */

/**
 * The floors of a queue within one process. `loop.mjs`: lanes that take the next input of an array, run the
 * handler and keep what it returns. `loop.mjs?text`: the same where a job is kept as text under its id and
 * so is its result, as every queue must that outlives its process, or promises that nobody else's change
 * to an object reaches a job.
 *
 * @returns {Promise<import('../types.ts').Commands>}
 */
export async function commands() {
  const text = new URL(import.meta.url).search === '?text'
  /** @type {Input[]} */
  let inputs = []
  /** @type {string[]} */
  let ids = []
  /** @type {Map<string, string>} */
  const bodies = new Map()
  /** @type {number[]} */
  const results = []
  /** @type {Map<string, string>} */
  const records = new Map()

  /** @param {number} i */
  const plain = async (i) => {
    results[i] = await add(/** @type {Input} */ (inputs[i]))
  }
  /** @param {number} i */
  const kept = async (i) => {
    const id = /** @type {string} */ (ids[i])
    records.set(id, JSON.stringify(await add(JSON.parse(/** @type {string} */ (bodies.get(id))))))
    bodies.delete(id)
  }
  const work = text ? kept : plain

  return {
    /** @param {{ jobs: number }} args */
    async fill({ jobs }) {
      inputs = Array.from({ length: jobs }, (_, i) => ({ x: i, y: 2 }))
      if (!text) return
      ids = inputs.map((_, i) => `0199f0a1-7b1c-7d00-8000-${String(i).padStart(12, '0')}`)
      for (let i = 0; i < jobs; i++) bodies.set(/** @type {string} */ (ids[i]), JSON.stringify(inputs[i]))
    },
    /** @param {{ jobs: number, warm: number, concurrency: number }} args */
    async drain({ jobs, warm, concurrency }) {
      await lanes(0, warm, concurrency, work)
      const began = now()
      const cpu = process.cpuUsage()
      await lanes(warm, jobs, concurrency, work)
      const ms = now() - began
      const { user, system } = process.cpuUsage(cpu)
      return { rate: ((jobs - warm) * 1000) / ms, cpu: (user + system) / (jobs - warm) }
    },
    async close() {},
  }
}
