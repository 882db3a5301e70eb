import { afterAll, expect, test } from 'vitest'
import { project, run, start } from '../cli/millrace.ts'
import { rabbitServer } from '../setup/rabbitmq.ts'
import { redisServer } from '../setup/redis.ts'

const [rabbit, store] = await Promise.all([rabbitServer(), redisServer()])
const here = project({
  'tasks.ts': `import { task } from 'millrace'
    export const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)`,
})
afterAll(async () => {
  here.remove()
  await Promise.all([rabbit[Symbol.asyncDispose](), store[Symbol.asyncDispose]()])
})
const parts = ['--url', rabbit.url, '--results', store.url]
const env = { MILLRACE_URL: rabbit.url, MILLRACE_RESULTS: store.url }

test('every command takes the store as a flag or a variable', async () => {
  const worker = start(here, ['worker', '--tasks', 'tasks.ts', ...parts])
  try {
    const input = '{"x":1,"y":2}'
    const done = await run(here, ['enqueue', 'add', input, '--id', 'one', '--wait', '--json'], { env })
    expect(done.code).toBe(0)
    expect(JSON.parse(done.stdout)).toMatchObject({ id: 'one', result: 3 })
    for (const words of [['job', 'one'], ['jobs'], ['queues'], ['workers'], ['retry', 'one']]) {
      const { stdout } = await run(here, [...words, ...parts])
      expect(stdout).toMatch(/succeeded|add|default|1/)
    }
  } finally {
    worker.child.kill('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  }
})

test('without the store a command says how to name it', async () => {
  const { code, stderr } = await run(here, ['jobs', '--url', rabbit.url])
  expect(code).not.toBe(0)
  expect(stderr).toContain("results: 'redis://localhost:6379'")
  expect(stderr).toContain('--results')
})

test('doctor checks RabbitMQ and the store, and tells which of them is away', async () => {
  const well = await run(here, ['doctor', ...parts])
  expect(well.code).toBe(0)
  expect(well.stdout).toMatch(/amqp.* \+ redis at .* answers: .*redis \d+.*rabbitmq \d+/)
  expect(well.stdout).toMatch(/There is no append-only file/)
  await store.kill()
  const without = await run(here, ['doctor', '--json', ...parts.slice(0, -1), `${store.url}?timeout=500`])
  expect(without.code).toBe(1)
  expect(without.stdout).toContain('Redis at')
  await rabbit.kill()
  const neither = await run(here, ['doctor', ...parts.slice(0, -1), `${store.url}?timeout=500`])
  expect(neither.code).toBe(1)
  expect(neither.stdout).toMatch(/FAULT .*RabbitMQ at .* can't be reached.*Redis at .* can't be reached/)
  await store.restart()
  const lone = await run(here, ['doctor', ...parts])
  expect(lone.code).toBe(1)
  expect(lone.stdout).toMatch(/FAULT .*RabbitMQ at/)
  expect(lone.stdout).not.toMatch(/Redis at/)
})
