// @ts-nocheck: the peers are installed in bench/ only, by those who compare.
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'

/**
 * BullMQ as its guide sets it up: one queue, results kept, no time to live. A chord is a flow whose parent is
 * the body.
 *
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Queue>}
 */
export async function open({ url }) {
  const { hostname, port } = new URL(url)
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  /** @type {QueueEvents | undefined} */
  let events
  /** @type {FlowProducer | undefined} */
  let flows

  async function heard() {
    if (!events) {
      events = new QueueEvents('bench', { connection })
      await events.waitUntilReady()
    }
    return events
  }

  return {
    add: (input, options) => queue.add('job', input, options),
    addAll: (inputs) => queue.addBulk(inputs.map((data) => ({ name: 'job', data }))),
    async call(input) {
      const ended = await heard()
      return (await queue.add('job', input)).waitUntilFinished(ended)
    },
    async work(concurrency, run) {
      const worker = new Worker(
        'bench',
        async (job) =>
          job.name === 'count' ? Object.keys(await job.getChildrenValues()).length : run(job.data),
        { connection, concurrency },
      )
      await worker.waitUntilReady()
      return () => worker.close()
    },
    async chord(inputs) {
      const ended = await heard()
      flows ??= new FlowProducer({ connection })
      const children = inputs.map((data) => ({ name: 'job', queueName: 'bench', data }))
      const { job } = await flows.add({ name: 'count', queueName: 'bench', data: {}, children })
      return job.waitUntilFinished(ended)
    },
    async close() {
      await Promise.all([queue.close(), events?.close(), flows?.close()])
    },
  }
}
