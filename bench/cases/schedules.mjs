/** 167 are due at each full second. @type {import('../types.ts').Case} */
export const schedules = {
  name: 'schedules',
  needs: ['schedules', 'serve', 'delays', 'idle'],
  backends: ['memory', 'sqlite', 'redis'],
  figures: {
    idle: {
      title: 'idle worker beside 10,000 schedules',
      unit: '% of a core',
      better: 'less',
      aim: { memory: { at: 2 }, sqlite: { at: 2 }, redis: { at: 2 } },
    },
    p50: { title: 'lateness of 10,000 schedules, each every minute, p50', unit: 'ms', better: 'less' },
    p99: {
      title: 'the same, p99',
      unit: 'ms',
      better: 'less',
      aim: { memory: { at: 200 }, sqlite: { at: 200 }, redis: { at: 200 } },
    },
  },
  async measure({ producer, worker, count }) {
    const all = Math.min(10_000, count(10_000))
    await producer.ask('schedules', { count: all, often: false })
    await worker.ask('serve', { concurrency: 100 })
    await worker.ask('idle', { ms: 1000 })
    const idle = /** @type {number} */ (await worker.ask('idle', { ms: 5000 }))
    await producer.ask('schedules', { count: all, often: true })
    await worker.ask('idle', { ms: 1000 })
    await worker.ask('delays', { jobs: 0 })
    const delays = /** @type {{ p50: number, p99: number }} */ (
      await worker.ask('delays', { jobs: Math.ceil(all / 6) })
    )
    return { idle, ...delays }
  },
}
