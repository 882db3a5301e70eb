// A soak: mixed load for minutes, and whether memory, open files and the database stay as they are. The
// first third warms up; the second is compared with the last.
import { statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from 'millrace'
import { startChild } from './children.mjs'
import { now } from './journal.mjs'
import { places } from './places.mjs'

/** @typedef {{ name: string, at: number, rss: number, heap: number, files: number, done: number }} Sample */

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'sqlite' },
    url: { type: 'string' },
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '300' },
    workers: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const EVERY = 5000
const MB = 1e6
const minutes = Number(values.minutes)
const place = await /** @type {NonNullable<typeof places[string]>} */ (places[values.backend])(values.url)
const app = connect(place.url, { logger: false })
await app.diagnose()

/** @param {string} name @param {string} role */
const start = (name, role) => ({
  name,
  ...startChild(
    new URL('./soaker.mjs', import.meta.url),
    { url: place.url, role, rate: Number(values.rate) },
    { execArgv: ['--expose-gc'] },
  ),
})
const workers = Array.from({ length: Number(values.workers) }, (_, i) => start(`worker ${i + 1}`, 'worker'))
const producer = start('producer', 'producer')

/** @type {Sample[]} */
const samples = []
/** @type {{ log: number, data: number, jobs: number }[]} */
const sizes = []
const began = now()
while (now() - began < minutes * 60_000) {
  await sleep(EVERY)
  const at = (now() - began) / 60_000
  samples.push(...(await Promise.all([producer, ...workers].map((one) => ask(one, at)))))
  sizes.push({ ...filesOf(place.url), jobs: await jobsHeld() })
}
producer.child.send('stop')
const ends = [await producer.exited]
for (const { child, exited } of workers) {
  child.kill('SIGTERM')
  ends.push(await exited)
}
await app.close()
await place.remove()

const good = report()
if (values.json) writeFileSync(values.json, JSON.stringify({ values, samples, sizes, ends }, null, 2))
process.exitCode = good ? 0 : 1

/** @param {ReturnType<typeof start>} one @param {number} at @returns {Promise<Sample>} */
function ask({ name, child }, at) {
  child.send('sample')
  return new Promise((resolve) => {
    child.once('message', (sample) =>
      resolve({ name, at, .../** @type {Omit<Sample, 'name' | 'at'>} */ (sample) }),
    )
  })
}

async function jobsHeld() {
  const queues = await app.queues()
  return queues.flatMap(({ counts }) => Object.values(counts)).reduce((sum, count) => sum + count, 0)
}

/** @param {string} url */
function filesOf(url) {
  const file = url.startsWith('sqlite:') ? url.replace(/^sqlite:|\?.*$/g, '') : undefined
  const size = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return { log: file ? size(`${file}-wal`) : 0, data: file ? size(file) : 0 }
}

function report() {
  let good = ends.every((end) => end === 0)
  console.log('| process | done | RSS MB | slope MB/min | heap MB | open files |')
  console.log('|---|---|---|---|---|---|')
  for (const { name } of [producer, ...workers]) {
    const own = samples.filter((sample) => sample.name === name)
    const third = Math.ceil(own.length / 3)
    const [early, late] = [own.slice(third, 2 * third), own.slice(2 * third)]
    const top = (/** @type {Sample[]} */ some, /** @type {'rss' | 'heap' | 'files'} */ what) =>
      Math.max(...some.map((sample) => sample[what]))
    const change = (/** @type {'rss' | 'heap'} */ what) => `${mb(top(early, what))} → ${mb(top(late, what))}`
    const rise = slope(own.slice(third).map(({ at, rss }) => [at, rss / MB]))
    console.log(
      `| ${name} | ${own.at(-1)?.done} | ${change('rss')} | ${rise.toFixed(2)} | ${change('heap')} | ` +
        `${top(early, 'files')} → ${top(late, 'files')} |`,
    )
    // Pages come and go with the allocator, the collected heap does not.
    if (top(late, 'rss') > 1.2 * top(early, 'rss')) good = false
    if (top(late, 'heap') > 1.1 * top(early, 'heap') + MB) good = false
    if (top(late, 'files') > top(early, 'files')) good = false
  }
  const later = sizes.slice(Math.floor(sizes.length / 4))
  const most = (/** @type {'log' | 'data' | 'jobs'} */ what) => Math.max(...later.map((size) => size[what]))
  console.log(`write-ahead log at most ${mb(most('log'))} MB, last ${mb(sizes.at(-1)?.log ?? 0)} MB`)
  console.log(`database at most ${mb(most('data'))} MB, records kept at most ${most('jobs')}`)
  console.log(`processes ended with ${ends.join(', ')}`)
  console.log(good ? 'soak: passed' : 'soak: FAILED')
  return good
}

/** @param {number} bytes */
function mb(bytes) {
  return (bytes / MB).toFixed(1)
}

/** Least squares. @param {number[][]} points */
function slope(points) {
  const mean = (/** @type {number} */ i) =>
    points.reduce((sum, point) => sum + (point[i] ?? 0), 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, [px = 0, py = 0]) => sum + (px - x) * (py - y), 0)
  return over / points.reduce((sum, [px = 0]) => sum + (px - x) ** 2, 0)
}
