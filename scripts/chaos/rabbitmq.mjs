import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The script that doesn't change the user, where packages put it. */
const PLAIN = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/**
 * A RabbitMQ with a node name, ports and folders of its own, which ends with this process.
 *
 * @param {string} [parent] where its folder is made
 */
export async function privateRabbit(parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, 'millrace-rabbit-'))
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const stored = join(folder, 'mnesia')
  writeFileSync(join(folder, 'plugins'), '[].')
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_PORT: `${epmd}`,
    RABBITMQ_NODENAME: `millrace-${port}@localhost`,
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: `${distribution}`,
    RABBITMQ_MNESIA_BASE: stored,
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // Idle schedulers sleep: what is measured beside it needs the cores.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
  }
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child

  async function start() {
    mkdirSync(stored, { recursive: true })
    // The script waits for the server, which is to die with it: a group of their own.
    child = spawn(existsSync(PLAIN) ? PLAIN : 'rabbitmq-server', [], {
      cwd: folder,
      env,
      stdio: 'ignore',
      detached: true,
    })
    child.unref()
    for (const end = Date.now() + 60_000; !(await speaks(port)); await sleep(100)) {
      if (child.exitCode !== null || Date.now() > end) {
        throw new Error(`Expected RabbitMQ to answer on port ${port}. Its log is in ${folder}/log.`)
      }
    }
  }

  function killGroup() {
    try {
      if (child?.pid) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
    child = undefined
  }

  async function kill() {
    killGroup()
    while (await speaks(port)) await sleep(20)
  }

  process.once('exit', () => {
    killGroup()
    spawn('epmd', ['-port', `${epmd}`, '-kill'], { env, stdio: 'ignore', detached: true }).unref()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  await start()
  return {
    url: `amqp://127.0.0.1:${port}`,
    kill,
    start,
    /** Kill it and delete all that it has stored. */
    async wipe() {
      await kill()
      rmSync(stored, { recursive: true, force: true, maxRetries: 5 })
    },
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

/** Whether it speaks AMQP. @param {number} port @returns {Promise<boolean>} */
const speaks = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    /** @param {boolean} answer */
    const end = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('error', () => end(false))
    socket.setTimeout(2_000, () => end(false))
    socket.once('data', (data) => end(data[0] === 1))
    socket.write('AMQP\0\0\x09\x01')
  })
