import amqplib from 'amqplib'
import { privateRabbit } from '../../scripts/chaos/rabbitmq.mjs'
import { sqlite } from './sqlite.mjs'

/** @type {Promise<string> | undefined} */
let server
let places = 0

/** The RabbitMQ of MILLRACE_TEST_AMQP_URL, or a private one for the whole run. @param {string} folder */
async function start(folder) {
  const given = process.env.MILLRACE_TEST_AMQP_URL
  if (given) return given
  return (await privateRabbit(folder)).url
}

/**
 * RabbitMQ before a new SQLite file, or before MILLRACE_BENCH_RESULTS. The raw limit runs on the same server.
 *
 * @type {import('../types.ts').BackendKind}
 */
export const amqp = {
  processes: true,
  pace: 1,
  beside: { 'raw amqplib': new URL('../systems/amqp.mjs', import.meta.url).href },
  async create(settings) {
    server ??= start(settings.folder)
    const url = await server
    const given = process.env.MILLRACE_BENCH_RESULTS
    // The processes that are measured inherit it.
    process.env.MILLRACE_RESULTS = given ?? (await sqlite.create(settings)).url
    return { url: `${url}?namespace=bench-${process.pid}-${++places}`, durability: settings.durability }
  },
  async remove({ url, durability }) {
    const results = process.env.MILLRACE_RESULTS ?? ''
    if (results.startsWith('sqlite:')) await sqlite.remove({ url: results, durability })
    const client = await amqplib.connect(url)
    const channel = await client.createChannel()
    const namespace = new URL(url).searchParams.get('namespace')
    for (const name of ['queue', 'refused']) await channel.deleteQueue(`${namespace}.${name}.default`)
    await client.close()
  },
  async facts({ folder }) {
    server ??= start(folder)
    const client = await amqplib.connect(await server)
    const { version } = client.connection.serverProperties
    await client.close()
    return {
      RabbitMQ: `${version}, quorum queues, results in ${process.env.MILLRACE_BENCH_RESULTS ?? 'SQLite'}`,
    }
  },
}
