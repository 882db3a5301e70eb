import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, type ConnectOptions, connect, type WorkerOptions } from 'millrace'
import { startChild } from '../../scripts/chaos/children.mjs'
import { now, readJournals } from '../../scripts/chaos/journal.mjs'
import { places } from '../../scripts/chaos/places.mjs'
import type { Entry, Place } from '../../scripts/chaos/types.ts'
import type { Order } from './fixtures/tasks.mjs'

/**
 * The backends on which jobs survive a crash; each test of this folder runs on every one. MILLRACE_CRASH_BACKENDS
 * names others of the storm's places, separated by commas.
 */
export const backends = (process.env.MILLRACE_CRASH_BACKENDS ?? 'sqlite').split(',')

/** One place for jobs, the test's own app on it, and the worker processes it has started. */
export interface Stage extends AsyncDisposable {
  readonly place: Place
  readonly app: App
  /** Start a worker process. */
  start(name: string, options?: ActorOptions): Actor
  /** The same; resolves once it works. */
  worker(name: string, options?: ActorOptions): Promise<Actor>
  /** Start a process that enqueues so many parts, ten at a time, each under its own id: see fixtures/keys.mjs. */
  producer(name: string, count: number, env?: ActorOptions['env']): Actor
  /** All that the processes have done so far, in the order of time. */
  journal(): Entry[]
}

export interface ActorOptions extends Partial<Omit<WorkerOptions, 'tasks' | 'use' | 'logger'>> {
  /** The names of the tasks it knows; all, unless given. */
  readonly tasks?: readonly string[]
  /** Every delivery arrives twice. */
  readonly twice?: boolean
  readonly env?: Readonly<Record<string, string>>
}

/** A process of the stage. */
export interface Actor {
  readonly name: string
  /** The first entry like this, from the beginning on; rejects when the process ends before. */
  saw(like: Partial<Entry>, times?: number): Promise<Entry>
  tell(id: string, order: Order): void
  signal(name: NodeJS.Signals): void
  /** How it ended: its exit code, or the signal that killed it. */
  exited(): Promise<number | string>
}

/** A process that has not done something by then never will. */
const PATIENCE = 20_000

export async function openStage(backend: string, options: ConnectOptions = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-crash-'))
  const place: Place = await places[backend]!(undefined)
  const app = connect(place.url, { logger: false, ...options })
  const actors: Actor[] = []
  const add = (actor: Actor) => {
    actors.push(actor)
    return actor
  }

  function start(name: string, { tasks, twice, env, ...worker }: ActorOptions = {}) {
    const { payloadLimit } = options
    const given = {
      url: place.url,
      folder,
      name,
      tasks,
      twice,
      payloadLimit,
      options: { lease: '1s', ...worker },
    }
    return add(startActor('worker', name, given, env))
  }

  return {
    place,
    app,
    start,
    async worker(name, options) {
      const actor = start(name, options)
      await actor.saw({ did: 'log', message: 'worker started' })
      return actor
    },
    producer: (name, count, env) =>
      add(startActor('producer', name, { url: place.url, folder, name, count }, env)),
    journal: () => readJournals(folder),
    async [Symbol.asyncDispose]() {
      for (const actor of actors) actor.signal('SIGKILL')
      await Promise.all(actors.map((actor) => actor.exited()))
      await app.close()
      await place.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function startActor(role: string, name: string, given: unknown, env?: ActorOptions['env']): Actor {
  const { child, exited } = startChild(new URL(`./fixtures/${role}.mjs`, import.meta.url), given, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said = (said + chunk).slice(-2000)
  })
  const seen: Entry[] = []
  const looks = new Set<() => void>()
  let over = false
  child.on('message', (entry) => {
    seen.push(entry as Entry)
    for (const look of looks) look()
  })
  void exited.then(() => {
    over = true
    for (const look of looks) look()
  })

  const actor: Actor = {
    name,
    async exited() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${name} did not end within ${PATIENCE} ms`)), PATIENCE)
      })
      try {
        return await Promise.race([exited, late])
      } finally {
        clearTimeout(timer)
      }
    },
    saw: (like, times = 1) =>
      new Promise((resolve, reject) => {
        const wanted = Object.entries(like)
        const fail = (why: string) => {
          leave()
          const last = seen.slice(-10).map((entry) => JSON.stringify(entry))
          reject(
            new Error(`${name} ${why} before ${JSON.stringify(like)}; its last: ${last.join('\n')}\n${said}`),
          )
        }
        const timer = setTimeout(fail, PATIENCE, `did nothing for ${PATIENCE} ms`)
        const look = () => {
          const found = seen.filter((entry) =>
            wanted.every(([key, value]) => entry[key as keyof Entry] === value),
          )
          if (found.length >= times) {
            leave()
            resolve(found[times - 1]!)
          } else if (over) fail('ended')
        }
        const leave = () => {
          clearTimeout(timer)
          looks.delete(look)
        }
        looks.add(look)
        look()
      }),
    tell: (id, order) => void child.send({ id, order }),
    signal: (signal) => void child.kill(signal),
  }
  return actor
}

/** Until a look is true: for what tells of itself to no one. */
export async function until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const since = now(); !(await look()); await sleep(20)) {
    if (now() - since > PATIENCE) throw new Error(`Waited ${PATIENCE} ms in vain: ${what}`)
  }
}

export { now }
