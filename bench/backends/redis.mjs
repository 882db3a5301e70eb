import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** @type {Promise<string> | undefined} */
let server

/** One private Redis for the whole run, without persistence. @param {string} folder */
async function start(folder) {
  const files = mkdtempSync(join(folder, 'millrace-bench-redis-'))
  const port = await freePort()
  const child = spawn(
    'redis-server',
    ['--port', `${port}`, '--dir', files, '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  )
  process.once('exit', () => {
    child.kill('SIGKILL')
    rmSync(files, { recursive: true, force: true })
  })
  // What is measured ends by itself; this server ends with us.
  child.unref()
  const url = `redis://127.0.0.1:${port}`
  await ask(url, (client) => client.ping())
  return url
}

/** @template T @param {string} url @param {(client: Redis) => Promise<T>} question */
async function ask(url, question) {
  const client = new Redis(url, { retryStrategy: () => 50 })
  client.on('error', () => {})
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(address.port))
    })
  })

/** A private Redis, emptied for every measurement. @type {import('../types.ts').BackendKind} */
export const redis = {
  processes: true,
  pace: 1,
  beside: { 'raw list': new URL('../systems/redis.mjs', import.meta.url).href },
  async create({ folder, durability }) {
    server ??= start(folder)
    const url = await server
    await ask(url, async (client) => {
      await client.flushall()
      await client.script('FLUSH')
    })
    return { url, durability }
  },
  async size({ url }) {
    // What is still on its way is not the jobs'.
    await pause(200)
    const stats = await ask(
      url,
      async (client) => /** @type {(string | number)[]} */ (await client.call('MEMORY', 'STATS')),
    )
    return Number(stats[stats.indexOf('dataset.bytes') + 1])
  },
  remove: async () => {},
  async facts() {
    const [, version = ''] =
      /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' })) ?? []
    return { Redis: `${version}, without persistence` }
  },
}
