import { randomBy } from './random.mjs'

/** @typedef {import('./types.ts').Plan} Plan */
/** @typedef {import('./types.ts').Work} Work */

/** Attempts that a planned failure has; one that fails more often ends as failed. */
export const ATTEMPTS = 4

/**
 * What is enqueued, by the seed alone: producer and checker make the same list without a word.
 *
 * @param {number} seed
 * @param {number} jobs how many, members and bodies of chords included
 * @returns {Plan[]}
 */
export function planOf(seed, jobs) {
  const random = randomBy(seed)
  /** @type {Plan[]} */
  const plans = []
  let n = 0

  /** @returns {Work} */
  const work = () => {
    const dice = random.next()
    const fails = dice < 0.12 ? random.between(1, ATTEMPTS - 1) : dice < 0.14 ? ATTEMPTS : 0
    // A long one now and then is still running in a stopped process when another has taken it over.
    const ms = random.next() < 0.015 ? random.between(200, 600) : random.between(0, 12)
    return { n: n++, ms, fails, later: dice > 0.96 }
  }

  while (n < jobs) {
    const id = `job-${n}`
    const delay = random.next() < 0.12 ? random.between(50, 3000) : 0
    const left = jobs - n
    if (left >= 3 && random.next() < 0.03) {
      const members = Array.from({ length: Math.min(left - 1, random.between(2, 12)) }, work)
      n++
      plans.push({ kind: 'chord', id: `flow-${members[0]?.n}`, members, delay })
    } else {
      const priority = random.next() < 0.1 ? random.between(1, 9) : 0
      plans.push({ kind: 'job', id, work: work(), delay, priority })
    }
  }
  return plans
}
