import { setTimeout as sleep } from 'node:timers/promises'
import { chain, group, RetryLater, task } from 'millrace'
import { ATTEMPTS } from './plan.mjs'

/** @typedef {import('./types.ts').Work} Work */
/** @typedef {{ n: number, run: string }} Done */

const retry = /** @type {const} */ ({ attempts: ATTEMPTS, backoff: 'fixed', from: 100 })

/**
 * The tasks of a storm. Each run notes itself under a name of its own, which its result carries: so the
 * record tells whose result it is.
 *
 * @param {import('./types.ts').Note} note
 * @param {string} name of the process
 */
export function tasksOf(note, name) {
  let runs = 0
  const begin = (/** @type {string} */ id) => {
    const run = `${name}.${++runs}`
    note({ did: 'run', id, run })
    return run
  }

  const work = task('chaos.work', { retry }, async (/** @type {Work} */ { n, ms, fails, later }, context) => {
    const run = begin(context.id)
    if (ms > 0) await sleep(ms)
    if (later && Math.random() < 0.5) throw new RetryLater(50)
    if (context.attempt <= fails) throw new Error('as planned')
    return { n, run }
  })

  const sum = task('chaos.sum', { retry }, async (/** @type {Done[]} */ members, context) => {
    const run = begin(context.id)
    return { n: members.reduce((total, member) => total + member.n, 0), run }
  })

  return { work, sum }
}

/**
 * What a plan enqueues.
 *
 * @param {ReturnType<typeof tasksOf>} tasks
 * @param {import('./types.ts').Plan} plan
 */
export const partOf = ({ work, sum }, plan) =>
  plan.kind === 'job'
    ? work.with(plan.work)
    : chain(group(plan.members.map((member) => work.with(member))), sum)
