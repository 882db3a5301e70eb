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
      aim: { sqlite: { ratio: 0.2, to: 'raw SQLite' } },
    },
  },
  measure: ({ producer, count }) => producer.ask('adds', { jobs: count(20_000), inFlight: 100 }),
}

/** @type {Case} */
export const bulks = {
  name: 'bulks',
  needs: ['bulks'],
  figures: { rate: { title: 'bulks of 1,000', unit: 'jobs/s', better: 'more' } },
  measure: ({ producer, count }) => producer.ask('bulks', { jobs: count(50_000) }),
}
