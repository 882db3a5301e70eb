import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { amqp } from 'millrace/amqp'
import { redis } from 'millrace/redis'
import { sqlite } from 'millrace/sqlite'
import { afterAll } from 'vitest'
import type { Backend, Store } from '../../src/port/index.ts'
import { anyRabbit } from '../setup/rabbitmq.ts'
import { anyRedis } from '../setup/redis.ts'

type Open<B> = (namespace: string) => Promise<B>

/** RabbitMQ before a store, for one file of tests. */
async function before(name: string, results: (namespace: string) => Store): Promise<Open<Backend>> {
  const rabbit = await anyRabbit()
  afterAll(() => rabbit[Symbol.asyncDispose]())
  return (namespace) =>
    amqp({ url: `${rabbit.url}?namespace=${name}-${namespace}`, results: results(namespace) })
}

export function beforeSQLite(): Promise<Open<Backend>> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-amqp-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return before('sqlite', (namespace) =>
    sqlite({ path: join(folder, `${namespace}.db`), durability: 'normal' }),
  )
}

export async function beforeRedis(): Promise<Open<Backend>> {
  const server = await anyRedis()
  afterAll(() => server[Symbol.asyncDispose]())
  return before('redis', (namespace) => redis({ url: server.url, namespace: `amqp-${namespace}` }))
}

/** The helper thread exists only as built; suites that come from the source do without. */
export const withoutPulse =
  (open: Open<Backend>): Open<Backend> =>
  async (namespace) => {
    const { pulse: _, ...backend } = await open(namespace)
    return backend
  }
