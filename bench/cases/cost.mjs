/** @typedef {import('../types.ts').Case} Case */

/** @type {Case} */
export const sizes = {
  name: 'size',
  needs: ['fill', 'drain', 'heap'],
  figures: {
    waiting: {
      title: 'a waiting job',
      unit: 'bytes',
      better: 'less',
      aim: { redis: { ratio: 0.9, to: 'bullmq' } },
    },
    finished: {
      title: 'a finished job, its result kept',
      unit: 'bytes',
      better: 'less',
      aim: { redis: { ratio: 0.5, to: 'bullmq' } },
    },
  },
  async measure({ producer, worker, size, count }) {
    await producer.ask('fill', { jobs: 1000 })
    await worker.ask('drain', { jobs: 1000, warm: 1, concurrency: 100 })
    const jobs = count(20_000)
    const before = await size()
    await producer.ask('fill', { jobs })
    const waiting = await size()
    await worker.ask('drain', { jobs, warm: 1, concurrency: 100 })
    return { waiting: (waiting - before) / jobs, finished: ((await size()) - before) / jobs }
  },
}

/** @type {Case} */
export const idle = {
  name: 'idle',
  needs: ['serve', 'idle'],
  figures: {
    cpu: {
      title: 'idle worker',
      unit: '% of a core',
      better: 'less',
      aim: { sqlite: { at: 1 }, memory: { at: 1 }, redis: { at: 1 } },
    },
  },
  async measure({ worker }) {
    await worker.ask('serve', { concurrency: 10 })
    await worker.ask('idle', { ms: 500 })
    return { cpu: await worker.ask('idle', { ms: 5000 }) }
  },
}
