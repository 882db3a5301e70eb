import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A program of this example, in a process of its own. */
export interface Program {
  readonly pid: number
  /** The first line that it printed: a server's address, a worker's id. */
  readonly name: string
  /** Resolves at once for SIGSTOP and SIGCONT, else when it has ended. */
  signal(signal: NodeJS.Signals): Promise<void>
}

const running = new Set<ChildProcess>()
const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs')

/** Start `server.ts` or `worker.ts`; resolves once it has said its name. */
export async function start(file: string, env: Record<string, string>): Promise<Program> {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const child = spawn(process.execPath, [jiti, path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is for the demo, which then stops them in order.
    detached: true,
  })
  running.add(child)
  const ended = once(child, 'exit').then(() => running.delete(child))
  let errors = ''
  child.stderr.on('data', (text) => {
    errors = (errors + text).slice(-4000)
  })
  const name = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => String(line)),
    ended.then(() => {
      throw new Error(`${file} ended before it was ready.\n${errors}`)
    }),
  ])
  return {
    pid: child.pid!,
    name,
    async signal(signal) {
      child.kill(signal)
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended
    },
  }
}

export async function stopAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }),
  )
}

// Whatever happens here, nothing is left running.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
