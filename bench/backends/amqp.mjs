import amqplib from 'amqplib'
import { privateRabbit } from '../../scripts/chaos/rabbitmq.mjs'
import { redis } from './redis.mjs'
import { sqlite } from './sqlite.mjs'

/** @typedef {import('../types.ts').BackendKind} BackendKind */

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
 * RabbitMQ before a store. The raw limit runs on the same server, and the store without it beside.
 *
 * @param {BackendKind} store @param {string} name
 * @returns {BackendKind}
 */
const before = (store, name) => ({
  processes: true,
  pace: 1,
  beside: {
    'raw amqplib': new URL('../systems/amqp.mjs', import.meta.url).href,
    [`${name} alone`]: new URL('../systems/store.mjs', import.meta.url).href,
  },
  async create(settings) {
    server ??= start(settings.folder)
    const url = await server
    const { url: results } = await store.create(settings)
    const namespace = `bench-${process.pid}-${++places}`
    return { url: `${url}?namespace=${namespace}`, results, durability: settings.durability }
  },
  async remove({ url, results = '', durability }) {
    await store.remove({ url: results, durability })
    const client = await amqplib.connect(url)
    const channel = await client.createChannel()
    const namespace = new URL(url).searchParams.get('namespace')
    for (const queue of ['queue', 'refused']) await channel.deleteQueue(`${namespace}.${queue}.default`)
    await client.close()
  },
  async facts(settings) {
    server ??= start(settings.folder)
    const client = await amqplib.connect(await server)
    const { version } = client.connection.serverProperties
    await client.close()
    return { ...(await store.facts?.(settings)), RabbitMQ: `${version}, quorum queues` }
  },
})

export const amqp = before(redis, 'Redis')
export const amqpSqlite = before(sqlite, 'SQLite')
