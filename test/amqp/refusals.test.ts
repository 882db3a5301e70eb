import amqplib from 'amqplib'
import { expect, test } from 'vitest'
import { counted, crew, fresh } from './crew.ts'

const { rabbit, app } = await crew()

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

test('a user without the rights gets a coded error that names the queue', async () => {
  await rabbit.control('add_user', 'clerk', 's3cret')
  await rabbit.control('set_permissions', 'clerk', '^$', '.*', '.*')
  const { count } = counted()
  const namespace = fresh()
  const error = await app(namespace, rabbit.url.replace('//', '//clerk:s3cret@'))
    .worker({ tasks: [count], signals: false })
    .run()
    .catch((error) => error)
  expect(error).toMatchObject({ name: 'BackendError', code: 'BACKEND_AUTH', retryable: false })
  expect(error.message).toContain(`'${namespace}.refused'`)
  expect(error.message).toContain('clerk')
  expect(`${error.message} ${error.stack}`).not.toContain('s3cret')
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
