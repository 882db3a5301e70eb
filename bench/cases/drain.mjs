/** @param {number} concurrency @param {number} most @param {import('../types.ts').Figure['aim']} [aim] @returns {import('../types.ts').Case} */
const drain = (concurrency, most, aim) => ({
  name: `drain-${concurrency}`,
  needs: ['fill', 'drain'],
  figures: {
    rate: {
      title: `drain of a backlog, concurrency ${concurrency}`,
      unit: 'jobs/s',
      better: 'more',
      ...(aim && { aim }),
    },
    cpu: { title: `its worker's CPU, concurrency ${concurrency}`, unit: 'µs a job', better: 'less' },
  },
  async measure({ producer, worker, count }) {
    const jobs = count(most)
    await producer.ask('fill', { jobs })
    return worker.ask('drain', { jobs, warm: Math.ceil(jobs / 5), concurrency })
  },
})

export const drains = [
  drain(1, 5_000),
  drain(10, 20_000),
  drain(100, 50_000, {
    sqlite: { ratio: 0.25, to: 'raw SQLite' },
    memory: { ratio: 0.3, to: 'bare loop' },
    amqp: { ratio: 0.4, to: 'raw amqplib' },
  }),
]
