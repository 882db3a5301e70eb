/** @typedef {import('../types.ts').Figure['aim']} Aim */

/** @param {number} concurrency @param {number} most @param {Aim} [aim] @param {Aim} [cpuAim] @returns {import('../types.ts').Case} */
const drain = (concurrency, most, aim, cpuAim) => ({
  name: `drain-${concurrency}`,
  needs: ['fill', 'drain'],
  figures: {
    rate: {
      title: `drain of a backlog, concurrency ${concurrency}`,
      unit: 'jobs/s',
      better: 'more',
      ...(aim && { aim }),
    },
    cpu: {
      title: `its worker's CPU, concurrency ${concurrency}`,
      unit: 'µs a job',
      better: 'less',
      ...(cpuAim && { aim: cpuAim }),
    },
  },
  async measure({ producer, worker, count }) {
    const jobs = count(most)
    await producer.ask('fill', { jobs })
    return worker.ask('drain', { jobs, warm: Math.ceil(jobs / 5), concurrency })
  },
})

export const drains = [
  drain(1, 5_000, { redis: { ratio: 1.5, to: 'bullmq' } }),
  drain(10, 20_000, { redis: { ratio: 4, to: 'bullmq' } }),
  drain(
    100,
    50_000,
    {
      sqlite: { ratio: 0.25, to: 'raw SQLite' },
      memory: { ratio: 0.3, to: 'bare loop' },
      amqp: { ratio: 0.4, to: 'raw amqplib' },
      redis: { ratio: 6, to: 'bullmq' },
    },
    { redis: { at: 15 } },
  ),
]

/** @type {import('../types.ts').Case} */
export const backlogs = {
  name: 'backlog',
  // To fill it would take peers minutes; we are compared with ourselves.
  needs: ['fill', 'adds', 'drain', 'chain'],
  backends: ['redis'],
  figures: {
    adds: {
      title: 'a single add with 1,000,000 waiting, to one with 1,000',
      unit: '×',
      better: 'less',
      aim: { redis: { at: 1.1 } },
    },
    drain: {
      title: 'a job drained with 1,000,000 waiting, to one with 1,000',
      unit: '×',
      better: 'less',
      aim: { redis: { at: 1.1 } },
    },
  },
  async measure({ producer, worker, count }) {
    const jobs = count(20_000)
    const once = async () => {
      /** @type {{ rate: number }} */
      const adds = await producer.ask('adds', { jobs, inFlight: 100 })
      /** @type {{ rate: number }} */
      const drain = await worker.ask('drain', { jobs, warm: Math.ceil(jobs / 5), concurrency: 100 })
      return { adds: adds.rate, drain: drain.rate }
    }
    await producer.ask('fill', { jobs: 1000 })
    await once()
    const few = await once()
    await producer.ask('fill', { jobs: count(1_000_000) })
    const many = await once()
    return { adds: few.adds / many.adds, drain: few.drain / many.drain }
  },
}
