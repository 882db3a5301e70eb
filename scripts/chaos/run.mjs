// `npm run chaos`: lose nothing and finish nothing twice while workers are killed and stopped at random.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'millrace'
import { readArguments } from './arguments.mjs'
import { startChild } from './children.mjs'
import { judge } from './history.mjs'
import { now, readJournals } from './journal.mjs'
import { places } from './places.mjs'
import { planOf } from './plan.mjs'
import { report } from './report.mjs'
import { startStorm } from './storm.mjs'

/** Nothing has ended for so many leases: what is left is stuck. */
const PATIENCE = 15

const settings = readArguments()
const { backend, jobs, seconds, seed, lease } = settings
console.log(`chaos: ${jobs} jobs on ${backend}, ${settings.workers} workers, ${seconds} s, --seed ${seed}`)

const folder = await mkdtemp(join(tmpdir(), 'millrace-journals-'))
const place = await /** @type {NonNullable<typeof places[string]>} */ (places[backend])(settings.url)
const app = connect(place.url, { logger: false })
await app.diagnose()
place.witness?.start()

const storm = startStorm({ ...settings, url: place.url, folder })
const producer = startChild(new URL('./producer.mjs', import.meta.url), {
  url: place.url,
  folder,
  seed,
  jobs,
  spread: 1000 * seconds,
})
const enough = sleep(1000 * seconds)
if (place.restart) {
  for (const _ of [1, 2]) {
    await sleep((1000 * seconds) / 3)
    await place.restart()
  }
}
const produced = await producer.exited
await enough
const calmAt = await storm.calm()
const backlog = await allEnded()
const settled = now() - calmAt
await storm.stop()

const plans = planOf(seed, jobs)
const journal = readJournals(folder)
const ids = plans.filter(({ kind }) => kind === 'job').map(({ id }) => id)
const verdict = judge({
  plans,
  journal,
  jobs: new Map(await inPages(ids, async (id) => /** @type {const} */ ([id, await app.job(id).info()]))),
  flows: new Map(
    await inPages(
      plans.filter(({ kind }) => kind === 'chord'),
      async ({ id }) => {
        const flow = app.flow(id)
        return /** @type {const} */ ([id, { state: await flow.state(), steps: await flow.steps() }])
      },
    ),
  ),
  ...(place.witness && { ends: place.witness.read() }),
})
await app.close()

const faults = journal.filter(({ did }) => did === 'fault').map(({ by, message }) => `${by}: ${message}`)
const deaths = [...storm.deaths, ...(produced === 0 ? [] : [`the producer ended with ${produced}`])]
const all = { settings, ...verdict, ...storm.counts, settled: Math.round(settled), backlog, faults, deaths }
const good = report(all)
if (settings.json) await writeFile(settings.json, JSON.stringify(all, null, 2))
if (settings.keep) console.log(`journals in ${folder}, jobs in ${place.url}`)
else await Promise.all([place.remove(), rm(folder, { recursive: true, force: true })])
process.exitCode = good ? 0 : 1

/** Until nothing is left to do, or no job has come to its end for long; how much there was to do. */
async function allEnded() {
  let most = -1
  let backlog = 0
  for (let since = now(); now() - since < PATIENCE * lease; await sleep(100)) {
    let live = 0
    let ended = 0
    for (const { counts } of await app.queues()) {
      live += (counts.scheduled ?? 0) + (counts.waiting ?? 0) + (counts.active ?? 0) + (counts.retrying ?? 0)
      ended +=
        (counts.succeeded ?? 0) + (counts.failed ?? 0) + (counts.cancelled ?? 0) + (counts.expired ?? 0)
    }
    if (most < 0) backlog = live
    if (live === 0) break
    if (ended > most) since = now()
    most = ended
  }
  return backlog
}

/** @template T, R @param {readonly T[]} items @param {(item: T) => Promise<R>} read @returns {Promise<R[]>} */
async function inPages(items, read) {
  /** @type {R[]} */
  const all = []
  for (let at = 0; at < items.length; at += 500)
    all.push(...(await Promise.all(items.slice(at, at + 500).map(read))))
  return all
}
