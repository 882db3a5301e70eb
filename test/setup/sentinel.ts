import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, type RedisServer, redisServer } from './redis.ts'
import { ensure } from './system.ts'
import { until } from './until.ts'

/** A master, its replica and three Sentinels of a test's own. */
export interface WatchedRedis extends AsyncDisposable {
  readonly url: string
  readonly master: RedisServer
  readonly replica: RedisServer
  /** Resolves once the replica has all that the master had been told by the call. */
  replicated(): Promise<void>
}

const NAME = 'main'

export async function watchedRedis(): Promise<WatchedRedis> {
  const master = await redisServer('--repl-diskless-sync-delay', '0')
  const replica = await redisServer('--replicaof', '127.0.0.1', String(master.port))
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sentinel-'))
  const sentinels: { readonly child: ChildProcess; readonly port: number }[] = []
  process.once('exit', () => {
    for (const { child } of sentinels) child.kill('SIGKILL')
  })
  await until(async () => (await ask(replica.port, 'INFO', 'replication')).includes('master_link_status:up'))
  for (let i = 0; i < 3; i++) sentinels.push(await sentinel(join(folder, `${i}.conf`), master.port))
  for (const { port } of sentinels) {
    await until(async () => {
      const [known] = JSON.parse((await ask(port, 'SENTINEL', 'MASTERS')) || '[]') as string[][]
      const of = (field: string) => known?.[known.indexOf(field) + 1]
      return of('num-slaves') === '1' && of('num-other-sentinels') === '2'
    })
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}/0`,
    master,
    replica,
    async replicated() {
      const offset = async (port: number, field: string) =>
        Number(new RegExp(`${field}:(\\d+)`).exec(await ask(port, 'INFO', 'replication'))?.[1])
      const goal = await offset(master.port, 'master_repl_offset')
      await until(async () => (await offset(replica.port, 'slave_repl_offset')) >= goal)
    },
    async [Symbol.asyncDispose]() {
      for (const { child } of sentinels) {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
      }
      await Promise.all([master, replica].map((server) => server[Symbol.asyncDispose]()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function sentinel(file: string, master: number) {
  const port = await freePort()
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${tmpdir()}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 5000`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn(ensure('redis-server', 'redis-server'), [file, '--sentinel'], { stdio: 'ignore' })
  await until(async () => (await ask(port, 'PING')).includes('PONG'))
  return { child, port }
}

/** The answer as text; empty while there is none. */
async function ask(port: number, command: string, ...args: string[]): Promise<string> {
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: null })
  client.on('error', () => {})
  try {
    await client.connect()
    const answer = await client.call(command, ...args)
    return typeof answer === 'string' ? answer : JSON.stringify(answer)
  } catch {
    return ''
  } finally {
    client.disconnect()
  }
}
