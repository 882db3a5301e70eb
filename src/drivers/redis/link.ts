import { pause } from '../../async/signals.ts'
import type { Millis } from '../../port/index.ts'
import { closed, isBroken, isPassing, isReadOnly, isRefused, translate } from './faults.ts'
import type { Client } from './library.ts'
import { type Argument, createLine, type Line } from './line.ts'
import type { Script } from './lua/index.ts'
import type { Settings } from './settings.ts'

export type { Argument } from './line.ts'

/** Where scripts run: a server, or those of a Cluster. */
export interface Link {
  /**
   * Run a script. A call whose answer is lost is sent again, told so, until the timeout; without `again`, it
   * rejects.
   */
  run(
    script: Script,
    prefix: string,
    args: readonly Argument[],
    again?: (args: readonly Argument[]) => readonly Argument[],
  ): Promise<unknown>
  /** Ask something that is safe to ask again of each server, until there is an answer or the timeout. */
  ask<T>(question: (client: Client) => Promise<T>): Promise<T[]>
  close(): Promise<void>
}

/** Where a call goes next. */
export interface Route {
  /** The line to the server that holds these keys; `patience` is how long it may take to stand. */
  find(prefix: string, until: Millis): Promise<{ readonly line: Line; readonly patience: Millis }>
  /** It failed there so. Whether another try may find the keys elsewhere. */
  missed(error: unknown, line: Line): Promise<boolean>
  all(until: Millis): Promise<Line[]>
  close(): void
}

/** Scripts over a route: what was not carried out is tried again, and so is what is safe to repeat. */
export function createLink(route: Route, { server, timeout }: Settings): Link {
  let over = false

  return {
    async run(script, prefix, args, again) {
      const until = performance.now() + timeout
      let sent: readonly Argument[] = args
      for (let tries = 1; ; tries++) {
        let isSent = false
        let line: Line | undefined
        try {
          const found = await route.find(prefix, until)
          line = found.line
          if (line.client.status !== 'ready')
            await line.ready(Math.min(found.patience, Math.max(1, until - performance.now())))
          isSent = true
          return await line.call(script, [prefix, ...sent])
        } catch (error) {
          if (over) throw closed(server)
          const isUndone = !isSent || isRefused(error)
          const mayPass = isUndone ? isPassing(error) : isBroken(error) && again !== undefined
          const isElsewhere = line !== undefined && (await route.missed(error, line))
          if (!(mayPass || (isUndone && isElsewhere)) || performance.now() > until)
            throw translate(error, line?.server ?? server)
          if (!isUndone) sent = again!(args)
          if (!isElsewhere || tries > 2)
            await pause(Math.min(20 * 2 ** tries, 500) * (0.5 + Math.random() / 2))
        }
      }
    },
    async ask(question) {
      const until = performance.now() + timeout
      for (;;) {
        try {
          const lines = await route.all(until)
          return await Promise.all(
            lines.map(async (line) => question(await line.ready(Math.max(1, until - performance.now())))),
          )
        } catch (error) {
          if (over) throw closed(server)
          if (!isPassing(error) || performance.now() > until) throw translate(error, server)
          await pause(50)
        }
      }
    },
    async close() {
      over = true
      route.close()
    },
  }
}

/** The only server, or the one that Sentinels name. */
export async function directRoute(settings: Settings): Promise<Route> {
  const line = await createLine(settings)
  const found = { line, patience: Number.POSITIVE_INFINITY }
  return {
    find: () => Promise.resolve(found),
    async missed(error) {
      if (settings.kind !== 'sentinel' || !isReadOnly(error)) return false
      // A master that was made a replica: Sentinels know its successor.
      line.client.disconnect(true)
      return true
    },
    all: () => Promise.resolve([line]),
    close: () => line.close(),
  }
}
