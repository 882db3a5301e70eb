// The tasks of the random flows, for the processes that run them and for the test that puts them together.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { RetryLater, task } from 'millrace'

/** While this file is there, nothing fails any more. */
const mended = process.env.FLOWS_MENDED ?? ''

/** The place of a step in its flow. @param {string} id */
const placeOf = (id) => id.slice(id.indexOf('/') + 1)

/** What a step results in: it tells where it ran, and on what. @param {string} place @param {unknown} input */
export function outputOf(place, input) {
  const text = JSON.stringify(input) ?? 'undefined'
  return `${place}:${createHash('sha1').update(text).digest('hex').slice(0, 8)}`
}

/** @param {unknown} input @param {{ id: string }} context */
async function work(input, { id }) {
  await setTimeout(Math.random() * 60)
  return outputOf(placeOf(id), input)
}

/** Jobs that this process has put off once. */
const putOff = new Set()

const retry = { attempts: 3, from: 1 }

export const ok = task('ok', { retry }, work)

export const flaky = task('flaky', { retry }, async (/** @type {unknown} */ input, context) => {
  if (context.attempt === 1) throw new Error('the first time')
  return work(input, context)
})

export const later = task('later', { retry }, async (/** @type {unknown} */ input, context) => {
  if (!putOff.has(context.id)) {
    putOff.add(context.id)
    throw new RetryLater(30)
  }
  return work(input, context)
})

export const fail = task(
  'fail',
  { retry: { attempts: 2, from: 1 } },
  async (/** @type {unknown} */ input, context) => {
    await setTimeout(Math.random() * 60)
    if (!existsSync(mended)) throw new Error(placeOf(context.id))
    return work(input, context)
  },
)

/** Takes its process with it. */
export const poison = task('poison', { retry }, async (/** @type {unknown} */ input, context) => {
  if (!existsSync(mended)) process.kill(process.pid, 'SIGKILL')
  return work(input, context)
})

/** What it is told: the places of the failures. */
export const onError = task(
  'onError',
  { retry },
  async (/** @type {import('millrace').Failure} */ failure) => {
    await setTimeout(Math.random() * 60)
    return (failure.failures ?? []).map(({ path }) => path.join('.'))
  },
)

/** What it is told: the value. */
export const onSuccess = task('onSuccess', { retry }, async (/** @type {unknown} */ value) => value)

export const tasks = [ok, flaky, later, fail, poison, onError, onSuccess]
