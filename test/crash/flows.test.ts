import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type App, connect } from 'millrace'
import { sqlite } from 'millrace/sqlite'
import { faulty } from 'millrace/testing'
import { afterAll, test } from 'vitest'
import { anyRabbit } from '../setup/rabbitmq.ts'
import { anyRedis } from '../setup/redis.ts'
import { type Audit, fileAudit, recordAudit } from './flows/audit.ts'
import { type Mill, startMill } from './flows/mill.ts'
import { cancelDoomed, check, meanwhile, nothingLeft, type Run, runAll, seeThrough } from './flows/run.ts'
import { tasks } from './flows/tasks.mjs'
import { DOOMED, QUEUES, sample, UNSERVED } from './flows/value.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-flows-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const flows = Number(process.env.MILLRACE_FLOWS ?? 200)
/** Set MILLRACE_SEED to run the flows of a run again; the moments of the kills are others then. */
const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)

interface Place extends AsyncDisposable {
  readonly url: string
  /** What keeps the jobs, where the URL names a broker. */
  readonly results?: string
  /** To be called once something is there. */
  audit(): Audit
}

let made = 0
const unique = (name: string) => `${name}-${process.pid}-${++made}`
const fresh = (name: string) => join(folder, `${unique(name)}.db`)

const places: Readonly<Record<string, () => Promise<Place>>> = {
  async SQLite() {
    const path = fresh('jobs')
    return { url: `sqlite:${path}`, audit: () => fileAudit(path), async [Symbol.asyncDispose]() {} }
  },
  async Redis() {
    const server = await anyRedis()
    return {
      url: `${server.url}?namespace=${unique('flows')}`,
      audit: recordAudit,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
  async 'RabbitMQ before SQLite'() {
    const server = await anyRabbit()
    const path = fresh('carried')
    return {
      url: `${server.url}?namespace=${unique('flows')}`,
      results: `sqlite:${path}`,
      audit: () => fileAudit(path),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

/** What a process of a place is told by its environment. */
const envOf = ({ results }: Place) => (results === undefined ? {} : { MILLRACE_RESULTS: results })

test.each(Object.keys(places))(
  'random flows on %s come to what the oracle says while their workers are killed at random moments',
  async (name) => {
    await using place = await places[name]!()
    const { url } = place
    const mended = join(folder, `mended-${name}`)
    const env = { FLOWS_MENDED: mended, ...envOf(place) }
    await using app = openApp(place)
    await app.queues()
    using counted = place.audit()
    const first = startMill(url, QUEUES, 3, env)
    const runs = await killed(first, () =>
      cancelling(app, () => runAll(app, counted, sample(seed, flows, true))),
    )
    for (const run of runs) await check(run, counted, false)
    await nothingLeft(app)

    // Once the cause is mended, the flows that failed are run again, by workers that serve all queues.
    writeFileSync(mended, '')
    const second = startMill(url, [...QUEUES, UNSERVED, DOOMED], 3, env)
    const again: Run[] = []
    await killed(second, async () => {
      for (const { value, flow } of runs) {
        if ((await flow.state()) === 'failed') again.push({ value, flow: await flow.retry() })
      }
      await Promise.all(again.map(({ flow }) => seeThrough(flow)))
    })
    for (const run of again) await check(run, counted, true)
    await nothingLeft(app)
    assert.deepEqual(counted.faults(), [])
    const deaths = first.deaths + second.deaths
    console.log(`MILLRACE_SEED=${seed}: ${flows} flows, ${again.length} retried, ${deaths} workers killed`)
    if (flows >= 100) assert.ok(deaths >= 20, `Expected 20 workers or more to be killed, got ${deaths}.`)
  },
  300_000,
)

test('random flows come to what the oracle says when every finish is delivered twice', async () => {
  const path = join(folder, 'twice.db')
  const backend = faulty(sqlite({ path }), ({ verb }) => (verb === 'finish' ? { repeat: true } : undefined))
  await using app = connect(backend, { logger: false })
  await app.queues()
  using counted = fileAudit(path)
  const worker = app.worker({ tasks, queues: QUEUES, concurrency: 20, signals: false })
  const running = worker.run()
  const runs = await cancelling(app, () => runAll(app, counted, sample(seed, flows, false)))
  for (const run of runs) await check(run, counted, false)
  await nothingLeft(app)
  assert.deepEqual(counted.faults(), [])
  await worker.stop()
  await running
}, 180_000)

/** Kill a worker now and then, and all of them at last. */
const killed = <T>(mill: Mill, work: () => Promise<T>): Promise<T> =>
  meanwhile(() => mill.kill(Math.floor(Math.random() * 3)), 900, work).finally(() => mill.stop())

const cancelling = <T>(app: App, work: () => Promise<T>): Promise<T> =>
  meanwhile(() => cancelDoomed(app), 100, work)

test.each(Object.keys(places))(
  'a producer on %s that is killed while it enqueues leaves all of a flow or nothing of it',
  async (name) => {
    await using place = await places[name]!()
    await using app = openApp(place)
    const states: string[] = []
    for (let round = 0; round < 12; round++) {
      const ids = await produce(place, `round${round}`, 20 + Math.random() * 200)
      for (const id of ids) {
        const flow = app.flow(id)
        const state = await flow.state()
        const steps = await flow.steps()
        assert.deepEqual(
          [steps.length, steps.filter(({ job }) => job).length],
          state === 'unknown' ? [0, 0] : [1001, 1000],
        )
        states.push(state)
      }
    }
    const { counts } = (await app.queues())[0]!
    assert.equal(counts.waiting, 1000 * states.filter((state) => state === 'active').length)
    assert.ok(states.includes('unknown'), 'Expected a producer to be killed before it was answered.')
  },
  60_000,
)

function openApp({ url, results }: Place): App {
  return connect(url, { logger: false, ...(results !== undefined && { results }) })
}

/** The ids that a producer was about to enqueue by the time it was killed. */
async function produce(place: Place, prefix: string, life: number): Promise<string[]> {
  const ids: string[] = []
  const script = fileURLToPath(new URL('./flows/producer.mjs', import.meta.url))
  const child = fork(script, [place.url, prefix], { env: { ...process.env, ...envOf(place) } })
  const exited = once(child, 'exit')
  child.on('message', (id) => ids.push(String(id)))
  await once(child, 'message')
  await setTimeout(life)
  child.kill('SIGKILL')
  await exited
  return ids
}
