/** @typedef {import('../types.ts').Case} Case */

/** @param {string} title @param {number} [at] @returns {Case['figures']} */
const delays = (title, at) => ({
  p50: { title: `${title}, p50`, unit: 'ms', better: 'less', ...(at && { aim: { sqlite: { at } } }) },
  p99: { title: `${title}, p99`, unit: 'ms', better: 'less' },
})

/** @type {Case} */
export const calls = {
  name: 'calls',
  needs: ['calls', 'serve'],
  figures: delays('call and result, one after the other', 2),
  async measure({ producer, worker, count }) {
    await worker.ask('serve', { concurrency: 10 })
    await producer.ask('calls', { jobs: 50 })
    return producer.ask('calls', { jobs: count(1000, 200) })
  },
}

/** @type {Case} */
export const pickups = {
  name: 'pickup',
  needs: ['pickups', 'serve', 'delays'],
  figures: delays('pickup by an idle worker', 2),
  async measure({ producer, worker, count }) {
    await worker.ask('serve', { concurrency: 10 })
    await producer.ask('pickups', { jobs: 20 })
    await worker.ask('delays', { jobs: 20 })
    const jobs = count(300, 100)
    await producer.ask('pickups', { jobs })
    return worker.ask('delays', { jobs })
  },
}

/** @type {Case} */
export const lateness = {
  name: 'lateness',
  needs: ['fill', 'delayed', 'serve', 'delays'],
  figures: delays('lateness of 1,000 jobs due over 3 s'),
  async measure({ producer, worker }) {
    await worker.ask('serve', { concurrency: 100 })
    // To make the file is no part of it.
    await producer.ask('fill', { jobs: 10 })
    const spread = { jobs: 1000, spread: 3000, lead: 1000 }
    await producer.ask('delayed', spread)
    return worker.ask('delays', spread)
  },
}
