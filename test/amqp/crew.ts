import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, connect, task, type Worker } from 'millrace'
import { afterAll, afterEach, expect } from 'vitest'
import { type RabbitServer, rabbitServer } from '../setup/rabbitmq.ts'

/** Apps and workers of a file of tests, on a RabbitMQ of its own before SQLite; what they open is closed after each. */
export interface Crew {
  readonly rabbit: RabbitServer
  /** Where the jobs of a namespace are kept. */
  results(namespace: string): string
  app(namespace: string, url?: string, results?: string): App
  work(on: App, tasks: Parameters<App['worker']>[0]['tasks'], concurrency?: number): Worker
  /** A producer and two workers, under load while `happens` does. Every job runs; none twice, since no worker is lost. */
  underLoad(happens: () => Promise<void>, url?: string): Promise<void>
}

let names = 0
export const fresh = () => `faults${++names}`

export async function crew(...settings: Parameters<typeof rabbitServer>): Promise<Crew> {
  const rabbit = await rabbitServer(...settings)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-amqp-'))
  const unhandled: unknown[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(reason))
  const opened: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = []
  afterEach(async () => {
    for (const it of opened.splice(0).reverse()) await (it.stop?.() ?? it.close?.())
    expect(unhandled).toEqual([])
  })
  afterAll(async () => {
    await rabbit[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const results = (namespace: string) => `sqlite:${join(folder, `${namespace}.db`)}?durability=normal`

  function app(namespace: string, url = rabbit.url, store = results(namespace)): App {
    const it = connect(`${url}${url.includes('?') ? '&' : '?'}namespace=${namespace}`, {
      results: store,
      logger: false,
    })
    opened.push(it)
    return it
  }

  function work(on: App, tasks: Parameters<App['worker']>[0]['tasks'], concurrency = 10): Worker {
    const worker = on.worker({ tasks, concurrency, signals: false })
    void worker.run()
    opened.push(worker)
    return worker
  }

  async function underLoad(happens: () => Promise<void>, url?: string): Promise<void> {
    const jobs = 600
    const namespace = fresh()
    const { runs, count } = counted()
    work(app(namespace, url), [count])
    work(app(namespace, url), [count])
    const producer = app(namespace, url)
    const load = (async () => {
      for (let n = 0; n < jobs; n += 10) {
        await producer.enqueue(Array.from({ length: 10 }, (_, i) => count.with(n + i)))
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })()
    await until('some jobs to run', () => runs.size > 20)
    await happens()
    await load
    await until('all jobs to run', () => runs.size === jobs, 30_000)
    expect([...runs.values()].filter((times) => times !== 1)).toEqual([])
  }

  return { rabbit, results, app, work, underLoad }
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience = 20_000,
): Promise<void> {
  const end = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Expected ${what} within ${patience} ms.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Runs counted by input; slow enough that there are always some under way. */
export function counted() {
  const runs = new Map<number, number>()
  const count = task('count', async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    runs.set(n, (runs.get(n) ?? 0) + 1)
  })
  return { runs, count }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
