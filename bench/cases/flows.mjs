/** @typedef {import('../types.ts').Case} Case */

/** @type {Case} */
export const chords = {
  name: 'chords',
  needs: ['chords', 'serve'],
  figures: {
    time: {
      title: '500 flows of 10 members and a body',
      unit: 'ms',
      better: 'less',
      aim: { redis: { ratio: 0.2, to: 'bullmq' } },
    },
  },
  async measure({ producer, worker }) {
    await worker.ask('serve', { concurrency: 100 })
    await producer.ask('chords', { flows: 50, members: 10 })
    return { time: await producer.ask('chords', { flows: 500, members: 10 }) }
  },
}

/** @type {Case} */
export const groups = {
  name: 'group',
  needs: ['chords', 'serve', 'resident', 'heap'],
  figures: {
    thousand: { title: 'a group of 1,000 members and a body', unit: 'ms', better: 'less' },
    tenThousand: { title: 'a group of 10,000 members and a body', unit: 'ms', better: 'less' },
    growth: { title: 'time a member at 10,000 to that at 1,000', unit: '×', better: 'less' },
    resident: { title: "worker's memory, grown by the 10,000", unit: 'MB', better: 'less' },
    kept: { title: 'a member of the 10,000, its result kept', unit: 'bytes', better: 'less' },
  },
  async measure({ producer, worker, size }) {
    await worker.ask('serve', { concurrency: 100 })
    await producer.ask('chords', { flows: 2, members: 1000 })
    /** @type {number} */
    const thousand = await producer.ask('chords', { flows: 1, members: 1000 })
    /** @type {number} */
    const before = await worker.ask('resident')
    const empty = await size()
    /** @type {number} */
    const tenThousand = await producer.ask('chords', { flows: 1, members: 10_000 })
    /** @type {number} */
    const after = await worker.ask('resident')
    return {
      thousand,
      tenThousand,
      growth: tenThousand / thousand / 10,
      resident: (after - before) / 1e6,
      kept: ((await size()) - empty) / 10_000,
    }
  },
}

/** @type {Case} */
export const chains = {
  name: 'chain',
  needs: ['chain', 'serve'],
  figures: { time: { title: 'a chain of 1,000 steps', unit: 'ms', better: 'less' } },
  async measure({ producer, worker }) {
    await worker.ask('serve', { concurrency: 10 })
    await producer.ask('chain', { steps: 100 })
    return { time: await producer.ask('chain', { steps: 1000 }) }
  },
}
