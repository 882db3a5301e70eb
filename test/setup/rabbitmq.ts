import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensure, which } from './system.ts'

/** A RabbitMQ of a test's own. */
export interface RabbitServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Kill it as a crash would; `start` brings it back. */
  kill(): Promise<void>
  /** Start it again, on the same port and with what it has stored. */
  start(): Promise<void>
  /** Kill it and delete all that it has stored. */
  wipe(): Promise<void>
  /** Run `rabbitmqctl` on it. */
  control(...command: string[]): Promise<string>
}

/** Where packages put the plain script, which doesn't change the user. */
const plain = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/**
 * A `rabbitmq-server` of the PATH, or installed when root, started with a node name, ports and folders of its own:
 * it knows nothing of a system service, nor that of it. It is stopped by its own process.
 *
 * @param settings - lines of its configuration
 */
export async function rabbitServer(...settings: string[]): Promise<RabbitServer> {
  const found = ensure('rabbitmq-server', 'rabbitmq-server')
  const command = existsSync(plain) ? plain : found
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rabbit-'))
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const stored = join(folder, 'mnesia')
  writeFileSync(join(folder, 'plugins'), '[].')
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    ['log.file.level = warning', 'loopback_users = none', ...settings, ''].join('\n'),
  )
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `millrace-${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: stored,
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // Idle schedulers sleep: there are tests beside it that need the cores.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
  }
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    mkdirSync(stored, { recursive: true })
    // The script waits for the server, which is to die with it: a group of their own.
    const server = spawn(command, [], { cwd: folder, env, stdio: 'ignore', detached: true })
    child = server
    const until = Date.now() + 60_000
    while (!(await answers(port))) {
      if (server.exitCode !== null || Date.now() > until) {
        throw new Error(`Expected RabbitMQ to answer on port ${port}. Its log is in ${folder}/log.`)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async function kill(): Promise<void> {
    const server = child
    child = undefined
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    killGroup(server)
    await ended
    while (await answers(port, true)) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  function endDaemon(): void {
    const daemon = which('epmd')
    try {
      if (daemon) execFileSync(daemon, ['-port', String(epmd), '-kill'], { env, stdio: 'ignore' })
    } catch {
      // It has ended before.
    }
  }

  await start()
  const atExit = () => {
    if (child) killGroup(child)
    endDaemon()
  }
  process.once('exit', atExit)
  return {
    url: `amqp://127.0.0.1:${port}`,
    port,
    kill,
    start,
    async wipe() {
      await kill()
      rmSync(stored, { recursive: true, force: true })
    },
    async control(...words) {
      const { stdout } = await promisify(execFile)(join(command, '..', 'rabbitmqctl'), ['-q', ...words], {
        env,
      })
      return stdout
    },
    async [Symbol.asyncDispose]() {
      await kill()
      process.off('exit', atExit)
      // The daemon lets go of the node a moment after its end.
      for (let i = 0; i < 20 && (await answers(epmd, true)); i++) {
        endDaemon()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The RabbitMQ of `MILLRACE_TEST_AMQP_URL`, else one of the test's own: for tests that only need one. */
export async function anyRabbit(): Promise<{ readonly url: string } & AsyncDisposable> {
  const url = process.env.MILLRACE_TEST_AMQP_URL
  return url ? { url, async [Symbol.asyncDispose]() {} } : rabbitServer()
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Whether it speaks AMQP, or listens at all. */
function answers(port: number, anything = false): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('error', () => end(false))
    socket.once('connect', () => anything && end(true))
    socket.setTimeout(2_000, () => end(false))
    // A method frame on channel 0: connection.start.
    socket.once('data', (data) => end(data[0] === 1))
    socket.write('AMQP\0\0\x09\x01')
  })
}
