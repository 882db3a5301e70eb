import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import amqplib from 'amqplib'
import { type App, connect, task, type Worker } from 'millrace'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RabbitServer, rabbitServer } from '../setup/rabbitmq.ts'
import { proxyTo } from './proxy.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-amqp-'))
let rabbit: RabbitServer
beforeAll(async () => {
  rabbit = await rabbitServer()
}, 90_000)
afterAll(async () => {
  await rabbit[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))
const opened: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = []
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await (it.stop?.() ?? it.close?.())
  expect(unhandled).toEqual([])
})

let names = 0
const fresh = () => `faults${++names}`
const results = (namespace: string) => `sqlite:${join(folder, `${namespace}.db`)}?durability=normal`

function app(namespace: string, url = rabbit.url): App {
  const it = connect(`${url}${url.includes('?') ? '&' : '?'}namespace=${namespace}`, {
    results: results(namespace),
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

async function until(
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

/** Runs counted by id; slow enough that there are always some under way. */
function counted() {
  const runs = new Map<number, number>()
  const count = task('count', async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    runs.set(n, (runs.get(n) ?? 0) + 1)
  })
  return { runs, count }
}

/** A producer and two workers, under load while `happens` does. Every job runs; none twice, since no worker is lost. */
async function underLoad(happens: () => Promise<void>, url?: string, jobs = 600): Promise<void> {
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

test('RabbitMQ is killed and comes back under load: every job runs once', async () => {
  await underLoad(async () => {
    await rabbit.kill()
    await rabbit.start()
  })
}, 90_000)

test('RabbitMQ is wiped under load: every job runs once', async () => {
  await underLoad(async () => {
    await rabbit.wipe()
    await rabbit.start()
  })
}, 90_000)

test('every connection is reset again and again: every job runs once', async () => {
  await using proxy = await proxyTo(rabbit.port)
  await underLoad(async () => {
    for (let i = 0; i < 8; i++) {
      proxy.cut()
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }, `amqp://127.0.0.1:${proxy.port}`)
}, 60_000)

test('a connection that says nothing any more is given up, and jobs run meanwhile', async () => {
  await using proxy = await proxyTo(rabbit.port)
  await underLoad(async () => {
    proxy.freeze(true)
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    proxy.freeze(false)
  }, `amqp://127.0.0.1:${proxy.port}?heartbeat=1`)
}, 60_000)

test('without RabbitMQ a job is accepted, and one that arrives late is made use of', async () => {
  const namespace = fresh()
  const port = await freePort()
  const { runs, count } = counted()
  const producer = app(namespace, `amqp://127.0.0.1:${port}`)
  const job = await producer.enqueue(count.with(1))
  expect(await job.state()).toBe('waiting')
  await expect(producer.diagnose()).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE', retryable: true })
  work(app(namespace), [count])
  await job.result()
  expect(runs.size).toBe(1)
})

test('a wrong password is a coded error within five seconds, which does not tell it', async () => {
  const wrong = app(fresh(), rabbit.url.replace('//', '//guest:s3cret@'))
  const { count } = counted()
  const began = Date.now()
  const error = await wrong.enqueue(count.with(1)).catch((error) => error)
  expect(error).toMatchObject({ name: 'BackendError', code: 'BACKEND_AUTH', retryable: false })
  expect(error.message).toContain('refused the user "guest"')
  expect(`${error.message} ${error.stack}`).not.toContain('s3cret')
  await expect(wrong.worker({ tasks: [count], signals: false }).run()).rejects.toMatchObject({
    code: 'BACKEND_AUTH',
  })
  expect(Date.now() - began).toBeLessThan(5_000)
})

test('a virtual host that is not there is a coded error that names it', async () => {
  const wrong = app(fresh(), `${rabbit.url}/nowhere`)
  const { count } = counted()
  await expect(wrong.enqueue(count.with(1))).rejects.toMatchObject({
    code: 'BACKEND_AUTH',
    message: expect.stringContaining('no virtual host "nowhere"'),
  })
})

test('TLS with a server that speaks none is refused, and never becomes plain', async () => {
  const wrong = app(fresh(), rabbit.url.replace('amqp:', 'amqps:'))
  const { count } = counted()
  await expect(wrong.enqueue(count.with(1))).rejects.toMatchObject({ code: 'BACKEND_AUTH' })
})

test('a queue that exists with other settings is an error that names it and the difference', async () => {
  const namespace = fresh()
  const client = await amqplib.connect(rabbit.url)
  const channel = await client.createChannel()
  await channel.assertQueue(`${namespace}.queue.default`, { durable: true })
  await client.close()
  const { count } = counted()
  const error = await app(namespace)
    .worker({ tasks: [count], signals: false })
    .run()
    .catch((error) => error)
  expect(error).toMatchObject({ name: 'BackendError', code: 'BACKEND_ERROR', retryable: false })
  expect(error.message).toContain(`${namespace}.queue.default`)
  expect(error.message).toMatch(/inequivalent arg 'x-[a-z-]+'.* received .* but current is/)
})

test('what is no ticket is dead-lettered as it is, and the worker goes on', async () => {
  const namespace = fresh()
  const { runs, count } = counted()
  const here = app(namespace)
  work(here, [count])
  await (await here.enqueue(count.with(0))).result()
  const client = await amqplib.connect(rabbit.url)
  const channel = await client.createChannel()
  const foreign = [Buffer.from('{"broken'), Buffer.from([0, 255, 1, 254]), Buffer.from('{"task":"celery"}')]
  for (const body of foreign) channel.sendToQueue(`${namespace}.queue.default`, body)
  const job = await here.enqueue(count.with(1))
  await job.result()
  const found: Buffer[] = []
  await until(
    'all foreign messages in the queue of the refused',
    async () => {
      const message = await channel.get(`${namespace}.refused.default`, { noAck: true })
      if (message) found.push(message.content)
      return found.length === foreign.length
    },
    5_000,
  )
  expect(found.map(String).sort()).toEqual(foreign.map(String).sort())
  expect(runs.size).toBe(2)
  await client.close()
})

test('a queue that is deleted underneath is declared anew, for workers and producers', async () => {
  const namespace = fresh()
  const { count } = counted()
  const here = app(namespace)
  work(here, [count])
  const client = await amqplib.connect(rabbit.url)
  const channel = await client.createChannel()
  for (let n = 0; n < 3; n++) {
    await (await here.enqueue(count.with(n))).result()
    await channel.deleteQueue(`${namespace}.queue.default`)
  }
  await (await here.enqueue(count.with(9))).result()
  await until('the queue to have its consumer again', async () => {
    const look = await client.createChannel()
    look.on('error', () => {})
    return look.checkQueue(`${namespace}.queue.default`).then(
      async ({ consumerCount }) => {
        await look.close()
        return consumerCount === 1
      },
      () => false,
    )
  })
  await client.close()
})

test('when memory is short jobs are accepted and run, and diagnose tells', async () => {
  const namespace = fresh()
  const { count } = counted()
  const here = app(namespace)
  work(here, [count])
  await (await here.enqueue(count.with(0))).result()
  await rabbit.control('set_vm_memory_high_watermark', '0.000001')
  try {
    await (await here.enqueue(count.with(1))).result()
    await until('a warning', async () => {
      const { warnings } = await here.diagnose()
      return warnings.some((warning) => /takes no messages/.test(warning))
    })
  } finally {
    await rabbit.control('set_vm_memory_high_watermark', '0.4')
  }
  await (await here.enqueue(count.with(2))).result()
}, 60_000)

test('a worker that is full gives its tickets to others', async () => {
  const namespace = fresh()
  let free = () => {}
  const full = new Promise<void>((resolve) => {
    free = resolve
  })
  const runs: string[] = []
  const taskOf = (name: string) =>
    task('long', async (wait: boolean) => {
      runs.push(name)
      if (wait) await full
    })
  const producer = app(namespace)
  work(app(namespace), [taskOf('first')], 1)
  const long = await producer.enqueue(taskOf('any').with(true))
  await until('the first to be full', () => runs.length === 1)
  work(app(namespace), [taskOf('second')], 1)
  for (let i = 0; i < 10; i++) {
    const job = await producer.enqueue(taskOf('any').with(false))
    await job.result({ timeout: '5s' })
  }
  expect(runs).toEqual(['first', ...Array(10).fill('second')])
  free()
  await long.result()
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
