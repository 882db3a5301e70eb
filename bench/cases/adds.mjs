/** @typedef {import('../types.ts').Case} Case */

/** @type {Case} */
export const adds = {
  name: 'adds',
  needs: ['adds'],
  figures: {
    rate: {
      title: 'single adds, 100 in flight',
      unit: 'jobs/s',
      better: 'more',
      aim: { sqlite: { ratio: 0.2, to: 'raw SQLite' }, redis: { ratio: 6, to: 'bullmq' } },
    },
  },
  measure: ({ producer, count }) => producer.ask('adds', { jobs: count(20_000), inFlight: 100 }),
}

/** As many as a broker's client has unconfirmed. @type {Case} */
export const manyAdds = {
  name: 'adds-1000',
  needs: ['adds'],
  backends: ['redis', 'amqp', 'amqp-sqlite'],
  figures: {
    rate: {
      title: 'single adds, 1,000 in flight',
      unit: 'jobs/s',
      better: 'more',
      aim: { amqp: { ratio: 0.5, to: 'raw amqplib' } },
    },
  },
  measure: ({ producer, count }) => producer.ask('adds', { jobs: count(50_000), inFlight: 1000 }),
}

/** @type {Case} */
export const bulks = {
  name: 'bulks',
  needs: ['bulks'],
  figures: {
    rate: {
      title: 'bulks of 1,000',
      unit: 'jobs/s',
      better: 'more',
      aim: { redis: { ratio: 10, to: 'bullmq' } },
    },
  },
  measure: ({ producer, count }) => producer.ask('bulks', { jobs: count(50_000) }),
}
