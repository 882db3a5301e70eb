import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { now } from './clock.mjs'
import { lanes } from './lanes.mjs'
import { percentiles } from './statistics.mjs'

/** @typedef {import('../types.ts').Queue} Queue */

/** @param {number} i */
const input = (i) => ({ x: i, y: 2 })

/** The handler of every job that is only to be done. @param {{ x: number, y: number }} input */
export const add = async ({ x, y }) => x + y

const BULK = 1000

/**
 * The measuring loops over any queue. What the rates of a worker count is ends of handlers: at most a batch
 * of them is not written yet when the clock stops.
 *
 * @param {Queue} queue
 */
export function commandsOf(queue) {
  /** @type {number[]} what the handlers of `serve` have seen, in milliseconds */
  const delays = []
  /** @type {(() => Promise<void>) | undefined} */
  let serving
  let seen = () => {}

  /** @param {number} from @param {number} to */
  async function addBulks(from, to) {
    for (let i = from; i < to; i += BULK) {
      await queue.addAll(Array.from({ length: Math.min(BULK, to - i) }, (_, k) => input(i + k)))
    }
  }

  /** A rate of `work`, once it is warm. @param {number} jobs @param {(from: number, to: number) => Promise<void>} work */
  async function rate(jobs, work) {
    const warm = 5000
    await work(0, warm)
    const began = now()
    await work(warm, warm + jobs)
    return { rate: (jobs * 1000) / (now() - began) }
  }

  /** @template T @param {() => Promise<T>} work */
  async function timed(work) {
    const began = now()
    await work()
    return now() - began
  }

  return {
    /** @param {{ jobs: number, inFlight: number }} args */
    adds: ({ jobs, inFlight }) =>
      rate(jobs, (from, to) => lanes(from, to, inFlight, (i) => queue.add(input(i)))),

    /** @param {{ jobs: number }} args */
    bulks: ({ jobs }) => rate(jobs, addBulks),

    /** @param {{ jobs: number }} args */
    fill: ({ jobs }) => addBulks(0, jobs),

    /** Work off what was filled in, and measure from the `warm`th job on. @param {{ jobs: number, warm: number, concurrency: number }} args */
    async drain({ jobs, warm, concurrency }) {
      let count = 0
      let began = 0
      let cpu = process.cpuUsage()
      /** @type {(value: { rate: number, cpu: number }) => void} */
      let report = () => {}
      const measured = new Promise((resolve) => {
        report = resolve
      })
      const stop = await queue.work(concurrency, async (/** @type {{ x: number, y: number }} */ { x, y }) => {
        count++
        if (count === warm) {
          began = now()
          cpu = process.cpuUsage()
        } else if (count === jobs) {
          const ms = now() - began
          const { user, system } = process.cpuUsage(cpu)
          report({ rate: ((jobs - warm) * 1000) / ms, cpu: (user + system) / (jobs - warm) })
        }
        return x + y
      })
      const figures = await measured
      await stop()
      return figures
    },

    /** Work until further notice; jobs with a time in `due` tell how much later they started. @param {{ concurrency: number }} args */
    async serve({ concurrency }) {
      serving = await queue.work(
        concurrency,
        async (/** @type {{ due?: number, x: number, y: number }} */ job) => {
          if (job.due === undefined) return job.x + job.y
          delays.push(now() - job.due)
          seen()
          return 0
        },
      )
    },

    /** @param {{ jobs: number }} args */
    async delays({ jobs }) {
      while (delays.length < jobs) {
        await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
          seen = resolve
        })
      }
      return percentiles(delays.splice(0))
    },

    ...(queue.call && {
      /** One after the other. @param {{ jobs: number }} args */
      async calls({ jobs }) {
        /** @type {number[]} */
        const times = []
        for (let i = 0; i < jobs; i++)
          times.push(await timed(() => /** @type {any} */ (queue).call(input(i))))
        return percentiles(times)
      },

      /** @param {{ jobs: number, inFlight: number }} args */
      async callsAbreast({ jobs, inFlight }) {
        const ms = await timed(() =>
          lanes(0, jobs, inFlight, (i) => /** @type {any} */ (queue).call(input(i))),
        )
        return { rate: (jobs * 1000) / ms }
      },
    }),

    /** Single jobs with pauses in which the worker falls idle. @param {{ jobs: number }} args */
    async pickups({ jobs }) {
      for (let i = 0; i < jobs; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5 + 15 * Math.random()))
        await queue.add({ due: now() })
      }
    },

    /** Jobs whose times to run are spread evenly over `spread` ms, from `lead` ms on. @param {{ jobs: number, spread: number, lead: number }} args */
    async delayed({ jobs, spread, lead }) {
      const from = now() + lead
      await lanes(0, jobs, 10, (i) => {
        const delay = Math.ceil(from + (spread * i) / jobs - now())
        return queue.add({ due: now() + delay }, { delay })
      })
    },

    /** Share of one core, in percent, while nothing is asked of this process. @param {{ ms: number }} args */
    async idle({ ms }) {
      const cpu = process.cpuUsage()
      const time = await timed(() => new Promise((resolve) => setTimeout(resolve, ms)))
      const { user, system } = process.cpuUsage(cpu)
      return (user + system) / 10 / time
    },

    ...(queue.schedule && {
      /** @param {{ count: number, often: boolean }} args */
      schedules: ({ count, often }) =>
        lanes(0, count, 100, (i) => /** @type {any} */ (queue).schedule(`s${i}`, often ? i % 60 : undefined)),
    }),

    ...(queue.chord && {
      /** @param {{ flows: number, members: number }} args */
      async chords({ flows, members }) {
        const inputs = Array.from({ length: members }, (_, i) => input(i))
        return timed(() => Promise.all(Array.from({ length: flows }, () => queue.chord?.(inputs))))
      },
    }),

    ...(queue.chain && {
      /** @param {{ steps: number }} args */
      chain: ({ steps }) => timed(async () => queue.chain?.(steps)),
    }),

    /** Bytes on the heap, without garbage. */
    async heap() {
      collect()
      return process.memoryUsage().heapUsed
    },

    async resident() {
      return process.memoryUsage.rss()
    },

    async close() {
      await serving?.()
      await queue.close()
    },
  }
}

function collect() {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc')
  gc()
  gc()
}
