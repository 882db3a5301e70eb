import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import amqplib from 'amqplib'
import { sqlite } from './sqlite.mjs'

const PLAIN = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** @type {Promise<string> | undefined} */
let server
let places = 0

/** The RabbitMQ of MILLRACE_TEST_AMQP_URL, or a private one for the whole run. @param {string} folder */
async function start(folder) {
  const given = process.env.MILLRACE_TEST_AMQP_URL
  if (given) return given
  const files = mkdtempSync(join(folder, 'millrace-bench-rabbit-'))
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(join(files, 'plugins'), '[].')
  const child = spawn(existsSync(PLAIN) ? PLAIN : 'rabbitmq-server', [], {
    cwd: files,
    detached: true,
    stdio: 'ignore',
    env: {
      ...process.env,
      HOME: files,
      ERL_EPMD_PORT: `${epmd}`,
      RABBITMQ_NODENAME: `bench-${port}@localhost`,
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: `${distribution}`,
      RABBITMQ_MNESIA_BASE: join(files, 'mnesia'),
      RABBITMQ_LOG_BASE: join(files, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(files, 'plugins'),
      // epmd ends with its group.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
    },
  })
  process.once('exit', () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
    } catch {}
    rmSync(files, { recursive: true, force: true, maxRetries: 5 })
  })
  child.unref()
  const url = `amqp://127.0.0.1:${port}`
  for (let tries = 0; tries < 300; tries++) {
    const client = await amqplib.connect(url).catch(() => undefined)
    if (client) {
      await client.close()
      return url
    }
    await pause(100)
  }
  throw new Error(`Expected RabbitMQ to answer at ${url}.`)
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(address.port))
    })
  })

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
