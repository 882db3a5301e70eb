/** @typedef {import('../types.ts').Case} Case */

/** @typedef {import('../types.ts').Figure['aim']} Aim */

/** @param {string} title @param {{ p50?: Aim, p99?: Aim }} [aims] @returns {Case['figures']} */
const delays = (title, { p50, p99 } = {}) => ({
  p50: { title: `${title}, p50`, unit: 'ms', better: 'less', ...(p50 && { aim: p50 }) },
  p99: { title: `${title}, p99`, unit: 'ms', better: 'less', ...(p99 && { aim: p99 }) },
})

/** @param {number} ratio @returns {NonNullable<Aim>} */
const ofPeer = (ratio) => ({ redis: { ratio, to: 'bullmq' } })

/** @type {Case} */
export const calls = {
  name: 'calls',
  needs: ['calls', 'serve'],
  figures: delays('call and result, one after the other', {
    p50: { sqlite: { at: 2 }, amqp: { at: 4 }, ...ofPeer(0.6) },
  }),
  async measure({ producer, worker, count }) {
    await worker.ask('serve', { concurrency: 10 })
    await producer.ask('calls', { jobs: 50 })
    return producer.ask('calls', { jobs: count(1000, 200) })
  },
}

/** @type {Case} */
export const callsAbreast = {
  name: 'calls-100',
  needs: ['callsAbreast', 'serve'],
  figures: {
    rate: { title: 'call and result, 100 in flight', unit: 'jobs/s', better: 'more', aim: ofPeer(8) },
  },
  async measure({ producer, worker, count }) {
    await worker.ask('serve', { concurrency: 100 })
    await producer.ask('callsAbreast', { jobs: count(1000), inFlight: 100 })
    return producer.ask('callsAbreast', { jobs: count(10_000), inFlight: 100 })
  },
}

/** @type {Case} */
export const pickups = {
  name: 'pickup',
  needs: ['pickups', 'serve', 'delays'],
  figures: delays('pickup by an idle worker', { p50: { sqlite: { at: 2 }, ...ofPeer(0.5) } }),
  async measure({ producer, worker, count }) {
    await worker.ask('serve', { concurrency: 10 })
    await producer.ask('pickups', { jobs: 20 })
    await worker.ask('delays', { jobs: 20 })
    const jobs = count(300, 100)
    await producer.ask('pickups', { jobs })
    return worker.ask('delays', { jobs })
  },
}

/**
 * @param {string} name @param {number} jobs @param {string} title @param {{ p99?: Aim }} [aims]
 * @returns {Case}
 */
const late = (name, jobs, title, aims) => ({
  name,
  needs: ['fill', 'delayed', 'serve', 'delays'],
  figures: delays(title, aims),
  async measure({ producer, worker }) {
    await worker.ask('serve', { concurrency: 100 })
    // To make the file is no part of it.
    await producer.ask('fill', { jobs: 10 })
    const spread = { jobs, spread: 3000, lead: 1000 }
    await producer.ask('delayed', spread)
    return worker.ask('delays', spread)
  },
})

export const lateness = late('lateness', 1000, 'lateness of 1,000 jobs due over 3 s', {
  p99: ofPeer(0.1),
})
export const manyLate = late('lateness-1000', 3000, 'lateness of 1,000 jobs a second for 3 s', {
  p99: { amqp: { at: 50 }, ...ofPeer(0.1) },
})
