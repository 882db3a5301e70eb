import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensure } from './system.ts'

/** A Redis of a test's own. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Kill it as a crash would, and start it again on the same port and files. */
  restart(): Promise<void>
  /** Kill it; `restart` brings it back. */
  kill(): Promise<void>
}

/**
 * The Redis that tests run on: the one of `MILLRACE_TEST_REDIS_URL`, else a `redis-server` of the PATH, or
 * installed when root, started on a private port in a folder of its own. What was started here is stopped here.
 *
 * @param settings - of redis.conf, such as `--appendonly yes`
 */
export async function redisServer(...settings: string[]): Promise<RedisServer> {
  const command = ensure('redis-server', 'redis-server')
  const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined

  async function start() {
    const server = spawn(
      command,
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
        '--save',
        '',
        '--loglevel',
        'warning',
        ...settings,
      ],
      { stdio: 'ignore' },
    )
    child = server
    let failed: unknown
    server.on('error', (error) => {
      failed = error
    })
    const until = Date.now() + 10_000
    while (!(await answers(port))) {
      if (failed || server.exitCode !== null || Date.now() > until) {
        throw new Error(`Expected redis-server to answer on port ${port}.`, { cause: failed })
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async function kill() {
    const server = child
    child = undefined
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }

  await start()
  // Should the tests be cut short.
  process.once('exit', () => child?.kill('SIGKILL'))
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    async restart() {
      await kill()
      await start()
    },
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A Redis to share with others, for tests that only need one: theirs are namespaces of their own. */
export async function anyRedis(): Promise<{ readonly url: string } & AsyncDisposable> {
  const url = process.env.MILLRACE_TEST_REDIS_URL
  return url ? { url, async [Symbol.asyncDispose]() {} } : redisServer()
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Whether it has loaded its files and takes commands. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('error', () => end(false))
    socket.setTimeout(1_000, () => end(false))
    socket.once('data', (data) => end(/^(\+PONG|-NOAUTH|-WRONGPASS)/.test(String(data))))
    socket.write('PING\r\n')
  })
}
