import { Redis } from 'ioredis'
import { now } from '../harness/clock.mjs'

const BATCH = 1000
const BODY = 'x'.repeat(100)

/**
 * The raw limit of Redis through the same client: a list of small texts, pushed 1,000 in one call (single
 * adds: as many as are in flight), and claimed as many as run at once by LPOP. At most once: no ids, no
 * leases, no results.
 *
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Commands>}
 */
export async function commands({ url }) {
  const client = new Redis(url)

  /** @param {number} jobs @param {number} batch */
  async function push(jobs, batch) {
    for (let i = 0; i < jobs; i += batch) {
      const page = Array.from({ length: Math.min(batch, jobs - i) }, (_, k) =>
        JSON.stringify({ x: i + k, y: 2, BODY }),
      )
      await client.rpush('raw', ...page)
    }
  }

  /** @param {number} jobs @param {number} batch */
  async function rate(jobs, batch) {
    await push(5000, batch)
    const began = now()
    await push(jobs, batch)
    return { rate: (jobs * 1000) / (now() - began) }
  }

  return {
    /** @param {{ jobs: number, inFlight: number }} args */
    adds: ({ jobs, inFlight }) => rate(jobs, inFlight),
    /** @param {{ jobs: number }} args */
    bulks: ({ jobs }) => rate(jobs, BATCH),
    /** @param {{ jobs: number }} args */
    fill: ({ jobs }) => push(jobs, BATCH),
    /** @param {{ jobs: number, warm: number, concurrency: number }} args */
    async drain({ jobs, warm, concurrency }) {
      let began = 0
      let cpu = process.cpuUsage()
      let sum = 0
      for (let done = 0; done < jobs; ) {
        const taken = (await client.lpop('raw', concurrency)) ?? []
        for (const text of taken) {
          const { x, y } = JSON.parse(text)
          sum += x + y
        }
        done += taken.length
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
      client.disconnect()
    },
  }
}
