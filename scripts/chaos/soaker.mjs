// One process of a soak: a worker, or a producer that also waits, looks and cancels. Its parent asks now and
// then how it does.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'millrace'
import { now } from './journal.mjs'
import { planOf } from './plan.mjs'
import { partOf, tasksOf } from './tasks.mjs'

const { url, role, rate } = JSON.parse(process.argv[2] ?? '{}')
const ROUND = 500
const TOGETHER = 20

/** Records go after five seconds, so that what is kept stays as it is. */
const app = connect(url, { logger: false, keep: '5s' })
const tasks = tasksOf(() => [], role)
const { work, sum } = tasks
let done = 0
let over = false

process.on('disconnect', () => process.exit(1))
process.on('message', (message) => {
  if (message === 'stop') over = true
  else process.send?.(sample())
})
if (role === 'worker') {
  const worker = app.worker({ tasks: [work, sum], concurrency: 20, use: [counted] })
  process.on('SIGTERM', () => worker.stop())
  await worker.run()
} else await produce()
await app.close()
process.removeAllListeners('disconnect')
process.disconnect?.()

/** @param {unknown} _ @param {() => Promise<unknown>} next */
async function counted(_, next) {
  done++
  return next()
}

function sample() {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed, files: readdirSync('/proc/self/fd').length, done }
}

async function produce() {
  /** @type {Set<Promise<unknown>>} */
  const waits = new Set()
  for (let round = 0; !over; round++) {
    const began = now()
    const plans = planOf(round, ROUND)
    for (let i = 0; i < plans.length && !over; i += TOGETHER) {
      await Promise.all(plans.slice(i, i + TOGETHER).map((plan, j) => enqueue(plan, i + j, waits)))
    }
    await app.jobs({ limit: 20 })
    const ahead = (1000 * ROUND) / rate - (now() - began)
    if (ahead > 0) await sleep(ahead)
  }
  await Promise.all(waits)
}

/** @param {import('./types.ts').Plan} plan @param {number} i @param {Set<Promise<unknown>>} waits */
async function enqueue(plan, i, waits) {
  const options = { delay: plan.delay, priority: plan.kind === 'job' ? plan.priority : 0 }
  const job = await app.enqueue(partOf(tasks, plan), options)
  done += plan.kind === 'job' ? 1 : plan.members.length + 1
  if (i % 10 === 0) watch(waits, job.result({ timeout: '1m' }))
  if (i % 50 === 1) watch(waits, job.cancel())
  if (i % 50 === 2) watch(waits, job.state())
}

/** A failure is an answer, too. @param {Set<Promise<unknown>>} waits @param {Promise<unknown>} wait */
function watch(waits, wait) {
  /** @type {Promise<unknown>} */
  const end = wait.catch(() => {}).finally(() => waits.delete(end))
  waits.add(end)
}
