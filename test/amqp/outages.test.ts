import { task } from 'millrace'
import { expect, test } from 'vitest'
import { redisServer } from '../setup/redis.ts'
import { counted, crew, freePort, fresh, until } from './crew.ts'
import { proxyTo } from './proxy.ts'

const { rabbit, app, work, underLoad } = await crew()

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

test('every connection is reset each second: every job runs once, and none is left over', async () => {
  await using proxy = await proxyTo(rabbit.port)
  const connections = async () =>
    (await rabbit.control('list_connections', 'pid')).split('\n').filter((line) => line.startsWith('<'))
      .length
  await underLoad(async () => {
    for (let i = 0; i < 6; i++) {
      proxy.cut()
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    // Two workers have two each, the producer one.
    await until('the connections to be as many as before', async () => (await connections()) === 5)
  }, `amqp://127.0.0.1:${proxy.port}`)
}, 60_000)

test('RabbitMQ is far away: no lease is lost, and every job runs once', async () => {
  await using proxy = await proxyTo(rabbit.port)
  await underLoad(async () => {
    proxy.slow(500)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    proxy.slow(0)
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

test('without RabbitMQ jobs are accepted and found, and it is made use of once it comes', async () => {
  const namespace = fresh()
  const { runs, count } = counted()
  await rabbit.kill()
  const here = app(namespace)
  const job = await here.enqueue(count.with(1))
  expect(await job.state()).toBe('waiting')
  await expect(here.diagnose()).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE', retryable: true })
  work(here, [count])
  await job.result()
  expect(runs.size).toBe(1)
  await rabbit.start()
  await until('the queue to have its consumer', async () => {
    const queues = await rabbit.control('list_queues', 'name', 'consumers')
    return queues.includes(`${namespace}.queue.default\t1`)
  })
  await (await here.enqueue(count.with(2))).result()
  await here.diagnose()
}, 60_000)

test('of several hosts one that answers is found, also when the connection is lost', async () => {
  const dead = await freePort()
  await using proxy = await proxyTo(rabbit.port)
  await underLoad(async () => {
    for (let i = 0; i < 4; i++) {
      proxy.cut()
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }, `amqp://127.0.0.1:${dead},127.0.0.1:${proxy.port},[::1]:${dead}`)
}, 60_000)

test.each([
  ['memory', ['set_vm_memory_high_watermark', '0.000001'], ['set_vm_memory_high_watermark', '0.4']],
  ['disk', ['set_disk_free_limit', '1000000GB'], ['set_disk_free_limit', '50MB']],
])(
  'when %s is short jobs are accepted and run, and diagnose tells',
  async (_, alarm, calm) => {
    const namespace = fresh()
    const { count } = counted()
    const here = app(namespace)
    work(here, [count])
    await (await here.enqueue(count.with(0))).result()
    await rabbit.control(...alarm)
    try {
      await (await here.enqueue(count.with(1))).result()
      await until('a warning', async () => {
        const { warnings } = await here.diagnose()
        return warnings.some((warning) => /takes no messages/.test(warning))
      })
    } finally {
      await rabbit.control(...calm)
    }
    await (await here.enqueue(count.with(2))).result()
    await until('no warning', async () =>
      (await here.diagnose()).warnings.every((it) => !/no messages/.test(it)),
    )
  },
  60_000,
)

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

test('the store is away while RabbitMQ is up: enqueue rejects in time, and workers go on when it is back', async () => {
  await using server = await redisServer('--appendonly', 'yes', '--appendfsync', 'always')
  const namespace = fresh()
  const { runs, count } = counted()
  const open = () => app(namespace, rabbit.url, `${server.url}?timeout=3000`)
  const producer = open()
  work(open(), [count])
  const accepted: number[] = []
  let n = 0
  async function add(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const id = n++
      await producer.enqueue(count.with(id), { id: `job-${id}` })
      accepted.push(id)
    }
  }
  await add(100)
  await server.kill()
  const began = Date.now()
  await expect(add(1)).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE', retryable: true })
  expect(Date.now() - began).toBeLessThan(8_000)
  await expect(producer.diagnose()).rejects.toMatchObject({ message: expect.stringContaining('Redis at') })
  await server.restart()
  await add(100)
  await until('all that was accepted to run', () => accepted.every((id) => runs.has(id)), 30_000)
  await until('all to have ended', async () => {
    const states = await Promise.all(accepted.map((id) => producer.job(`job-${id}`).state()))
    return states.every((state) => state === 'succeeded')
  })
}, 60_000)
