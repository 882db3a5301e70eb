import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from 'millrace'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../package/manifest.ts'
import { anyRabbit } from '../setup/rabbitmq.ts'
import { anyRedis } from '../setup/redis.ts'

const jiti = join(root, 'node_modules/.bin/jiti')
const path = (file: string) => join(root, 'examples/add', file)

type Urls = { readonly MILLRACE_URL: string; readonly MILLRACE_RESULTS?: string }

/** What the programs are told on each backend. */
const backends: Readonly<Record<string, (file: string) => Promise<{ urls: Urls } & AsyncDisposable>>> = {
  SQLite: async (file) => ({ urls: { MILLRACE_URL: file }, async [Symbol.asyncDispose]() {} }),
  async Redis() {
    const server = await anyRedis()
    const urls = { MILLRACE_URL: `${server.url}?namespace=add-${process.pid}` }
    return { urls, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  },
  async 'RabbitMQ before SQLite'(file) {
    const server = await anyRabbit()
    const urls = { MILLRACE_URL: `${server.url}?namespace=add-${process.pid}`, MILLRACE_RESULTS: file }
    return { urls, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  },
}

describe.each(Object.keys(backends))('examples/add on %s', { timeout: 30_000 }, (name) => {
  let folder: string
  let worker: ChildProcess
  let backend: { urls: Urls } & AsyncDisposable
  const env = () => ({ ...process.env, ...backend.urls })
  const run = async (file: string, ...args: string[]) =>
    (await promisify(execFile)(jiti, [path(file), ...args], { env: env(), timeout: 20_000 })).stdout.trim()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-add-'))
    backend = await backends[name]!(`sqlite:${join(folder, 'millrace.db')}`)
    worker = spawn(jiti, [path('worker.ts')], { env: env(), stdio: ['ignore', 'inherit', 'pipe'] })
    worker.stderr!.setEncoding('utf8')
    await new Promise<void>((resolve, reject) => {
      worker.stderr!.on('data', (text) => text.includes('worker started') && resolve())
      worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)))
    })
  })

  afterAll(async () => {
    worker.kill('SIGKILL')
    await backend[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  test('the producer prints an id, and the reader gets its state at once and 40 in five seconds', async () => {
    const id = await run('producer.ts')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await run('reader.ts', id)).split('\n')).toEqual(['scheduled', '40'])

    const { MILLRACE_URL, MILLRACE_RESULTS: results } = backend.urls
    const app = connect(MILLRACE_URL, results === undefined ? {} : { results })
    const info = (await app.job(id).info())!
    await app.close()
    expect(info).toMatchObject({ task: 'add', state: 'succeeded', input: { x: 15, y: 25 }, result: 40 })
    expect(info.due.getTime() - info.created.getTime()).toBe(5000)
    expect(info.started!.getTime()).toBeGreaterThanOrEqual(info.due.getTime())
  })

  test('the reader of an unknown id says so and fails', async () => {
    await expect(run('reader.ts', 'nobody')).rejects.toMatchObject({
      code: 1,
      stdout: 'unknown\n',
      stderr: expect.stringContaining('UNKNOWN_JOB'),
    })
  })

  test('the worker ends by itself after SIGINT', async () => {
    worker.removeAllListeners('exit')
    worker.kill('SIGINT')
    expect(await once(worker, 'exit')).toEqual([0, null])
  })
})

test('the quick start of the README is these programs, word for word', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  for (const file of ['tasks.ts', 'worker.ts', 'producer.ts', 'reader.ts']) {
    const shown = readme.match(new RegExp(`^\`\`\`ts title="${file}"\n(.*?)^\`\`\`$`, 'ms'))?.[1]
    expect(shown, file).toBe(await readFile(path(file), 'utf8'))
  }
})
