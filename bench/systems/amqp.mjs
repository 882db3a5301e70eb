import amqplib from 'amqplib'
import { now } from '../harness/clock.mjs'

const BODY = 'x'.repeat(100)

/**
 * The raw limit of RabbitMQ through the same client: confirmed, persistent publishes to a quorum queue with as
 * many in flight, and consume and acknowledge with a prefetch of what runs at once. No ids, no results.
 *
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Commands>}
 */
export async function commands({ url }) {
  const client = await amqplib.connect(url, { noDelay: true })
  const namespace = new URL(url).searchParams.get('namespace')
  const queue = `${namespace}.queue.default`
  const channel = await client.createConfirmChannel()
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await channel.assertQueue(`${namespace}.refused.default`, { durable: true })

  /** @param {number} jobs @param {number} inFlight @returns {Promise<void>} */
  const publish = (jobs, inFlight) =>
    new Promise((resolve, reject) => {
      let sent = 0
      let confirmed = 0
      const send = () => {
        const body = Buffer.from(JSON.stringify({ x: sent, y: 2, BODY }))
        channel.sendToQueue(queue, body, { persistent: true, mandatory: true }, (error) => {
          if (error) return reject(error)
          if (++confirmed === jobs) resolve()
          else if (sent < jobs) send()
        })
        sent++
      }
      for (let i = 0; i < Math.min(inFlight, jobs); i++) send()
    })

  /** @param {number} jobs @param {number} inFlight */
  async function rate(jobs, inFlight) {
    await publish(2000, inFlight)
    const began = now()
    await publish(jobs, inFlight)
    return { rate: (jobs * 1000) / (now() - began) }
  }

  return {
    /** @param {{ jobs: number, inFlight: number }} args */
    adds: ({ jobs, inFlight }) => rate(jobs, inFlight),
    /** @param {{ jobs: number }} args */
    bulks: ({ jobs }) => rate(jobs, 1000),
    /** @param {{ jobs: number }} args */
    fill: ({ jobs }) => publish(jobs, 1000),
    /** @param {{ jobs: number, warm: number, concurrency: number }} args */
    async drain({ jobs, warm, concurrency }) {
      const receives = await client.createChannel()
      await receives.prefetch(concurrency)
      let began = 0
      let cpu = process.cpuUsage()
      let sum = 0
      let done = 0
      await new Promise((resolve) => {
        void receives.consume(queue, (message) => {
          if (!message) return
          const { x, y } = JSON.parse(message.content.toString())
          sum += x + y
          receives.ack(message)
          done++
          if (done === warm) {
            began = now()
            cpu = process.cpuUsage()
          }
          if (done === jobs) resolve(undefined)
        })
      })
      const ms = now() - began
      const { user, system } = process.cpuUsage(cpu)
      if (sum === 0) throw new Error('nothing was done')
      return { rate: ((jobs - warm) * 1000) / ms, cpu: (user + system) / (jobs - warm) }
    },
    close: () => client.close(),
  }
}
