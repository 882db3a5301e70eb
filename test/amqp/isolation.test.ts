import amqplib from 'amqplib'
import { type App, task } from 'millrace'
import { expect, test } from 'vitest'
import { counted, crew, fresh, until } from './crew.ts'

const { rabbit, app, work } = await crew()

/** Longer in bytes than a name in RabbitMQ may be, and alike up to its last character. */
const long = (last: string) => `${'界'.repeat(199)}${last}`

/** Tickets by queue of RabbitMQ, as the server counts them. */
async function tickets(namespace: string): Promise<Record<string, number>> {
  const lines = (await rabbit.control('list_queues', 'name', 'messages')).split('\n')
  const own = lines
    .map((line) => line.split('\t'))
    .filter(([name]) => name!.startsWith(`${namespace}.queue.`))
  return Object.fromEntries(
    own.map(([name, many]) => [name!.slice(`${namespace}.queue.`.length), Number(many)]),
  )
}

/** But for that of the store, which doesn't sync here. */
const warnings = async (of: App) => (await of.diagnose()).warnings.filter((it) => !/durability/.test(it))

/** Declare the queue as ours never is. */
async function spoil(name: string): Promise<void> {
  const client = await amqplib.connect(rabbit.url)
  await (await client.createChannel()).assertQueue(name, { durable: true })
  await client.close()
}

test('queues of the longest names have their tickets, each its own', async () => {
  const namespace = fresh()
  const { count } = counted()
  const producer = app(namespace)
  await producer.enqueue(count.with(1), { queue: long('甲') })
  await producer.enqueue(count.with(2), { queue: long('乙') })
  await producer.enqueue(count.with(3))
  await until('a ticket in each of three queues', async () => {
    const found = Object.entries(await tickets(namespace))
    return found.length === 3 && found.every(([, many]) => many === 1)
  })
  const names = Object.keys(await tickets(namespace))
  for (const name of names) expect(Buffer.byteLength(`${namespace}.refused.${name}`)).toBeLessThanOrEqual(255)
})

test('a queue that RabbitMQ refuses keeps back no tickets of others', async () => {
  const namespace = fresh()
  await spoil(`${namespace}.queue.bad`)
  const { count } = counted()
  const producer = app(namespace)
  await producer.enqueue([1, 2, 3].flatMap((n) => [count.with(n).options({ queue: 'bad' }), count.with(n)]))
  await until('the tickets of the good queue', async () => (await tickets(namespace)).default === 3)
  const warned = async () => (await producer.diagnose()).warnings.join('\n')
  await until('a warning', async () => (await warned()).includes(`${namespace}.queue.bad`))
  await producer.enqueue(count.with(4), { queue: 'later' })
  await until('the later ticket', async () => (await tickets(namespace)).later === 1)
  expect(await tickets(namespace)).toEqual({ bad: 0, default: 3, later: 1 })
}, 40_000)

test('a queue that a running worker is refused is named by diagnose, and its other queues go on', async () => {
  const namespace = fresh()
  const here = app(namespace)
  const good = task('good', { queue: 'good' }, () => 'ran')
  const bad = task('bad', { queue: 'bad' }, () => 'ran')
  work(here, [good, bad])
  await (await here.enqueue(bad.with())).result()
  expect(await warnings(here)).toEqual([])
  const client = await amqplib.connect(rabbit.url)
  const channel = await client.createChannel()
  await channel.deleteQueue(`${namespace}.queue.bad`)
  await channel.assertQueue(`${namespace}.queue.bad`, { durable: true })
  await client.close()
  await until('a warning', async () => {
    return (await warnings(here)).some((it) => /no tickets of the queue "bad".*other settings/.test(it))
  })
  await until('the good queue to have its consumer', async () => {
    const consumers = await rabbit.control('list_queues', 'name', 'consumers')
    return consumers.includes(`${namespace}.queue.good\t1`)
  })
  await (await here.enqueue(good.with())).result()
})

test.each([
  ['memory', ['set_vm_memory_high_watermark', '0.000001'], ['set_vm_memory_high_watermark', '0.4']],
  ['disk', ['set_disk_free_limit', '1000000GB'], ['set_disk_free_limit', '50MB']],
])('a process that has published nothing sees that %s is short', async (_, alarm, calm) => {
  const idle = app(fresh())
  expect(await warnings(idle)).toEqual([])
  await rabbit.control(...alarm)
  try {
    await until('the alarm', async () => /alarm/i.test(await rabbit.control('status')))
    expect(await warnings(app(fresh()))).toEqual([expect.stringMatching(/takes no messages/)])
  } finally {
    await rabbit.control(...calm)
  }
})
