import amqplib from 'amqplib'
import { expect, test } from 'vitest'
import { counted, crew, fresh, until } from './crew.ts'

const { rabbit, app, work } = await crew()

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

test('a publisher that finds its queue gone declares it, and no ticket is lost', async () => {
  const namespace = fresh()
  const { runs, count } = counted()
  const producer = app(namespace)
  await producer.enqueue(count.with(0))
  await ticketsOf(namespace, 1)
  const client = await amqplib.connect(rabbit.url)
  await (await client.createChannel()).deleteQueue(`${namespace}.queue.default`)
  await client.close()
  await producer.enqueue(count.with(1))
  await ticketsOf(namespace, 1)
  work(app(namespace), [count])
  await until('both jobs to run', () => runs.size === 2)
})

async function ticketsOf(namespace: string, many: number): Promise<void> {
  const client = await amqplib.connect(rabbit.url)
  await until(`${many} tickets`, async () => {
    const channel = await client.createChannel()
    channel.on('error', () => {})
    const { messageCount } = await channel
      .checkQueue(`${namespace}.queue.default`)
      .catch(() => ({ messageCount: -1 }))
    return messageCount === many
  })
  await client.close()
}
