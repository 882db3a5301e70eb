import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./worker.mjs', import.meta.url))

/** Worker processes, of which any that dies is started again. */
export interface Mill {
  /** Kill one of them with SIGKILL, whatever it is doing. */
  kill(which: number): void
  /** How many have died so far. */
  readonly deaths: number
  /** End all, and start none again. */
  stop(): Promise<void>
}

export function startMill(
  url: string,
  queues: readonly string[],
  size: number,
  env: NodeJS.ProcessEnv,
): Mill {
  const children: ChildProcess[] = []
  let stopping = false
  let deaths = 0

  function start(place: number): void {
    const child = fork(script, [url, queues.join(',')], { env: { ...process.env, ...env } })
    children[place] = child
    child.once('exit', () => {
      if (stopping) return
      deaths++
      start(place)
    })
  }
  for (let place = 0; place < size; place++) start(place)

  return {
    kill: (which) => void children[which % size]!.kill('SIGKILL'),
    get deaths() {
      return deaths
    },
    async stop() {
      stopping = true
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return
          child.kill('SIGKILL')
          await once(child, 'exit')
        }),
      )
    },
  }
}
