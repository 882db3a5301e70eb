// The producer of a storm: enqueues what the seed says, evenly over the time given. What fails for the
// moment is tried again under the same id, which is what ids are for.
import { setTimeout as sleep } from 'node:timers/promises'
import { BackendError, connect } from 'millrace'
import { now, openJournal } from './journal.mjs'
import { planOf } from './plan.mjs'
import { partOf, tasksOf } from './tasks.mjs'

const { url, folder, seed, jobs, spread } = JSON.parse(process.argv[2] ?? '{}')
const note = openJournal(folder, 'producer')
const app = connect(url, { logger: false })
const tasks = tasksOf(note, 'producer')

const orphaned = () => process.exit(1)
process.on('disconnect', orphaned)
const plans = planOf(seed, jobs)
const began = now()
for (let next = 0; next < plans.length; await sleep(10)) {
  const due = Math.ceil((plans.length * (now() - began)) / spread)
  const batch = plans.slice(next, due)
  next += batch.length
  await Promise.all(batch.map(enqueue))
}
await app.close()
process.off('disconnect', orphaned)
process.disconnect?.()

/** @param {import('./types.ts').Plan} plan */
async function enqueue(plan) {
  const { id, delay } = plan
  const priority = plan.kind === 'job' ? plan.priority : 0
  note({ did: 'try', id })
  for (;;) {
    try {
      await app.enqueue(partOf(tasks, plan), { id, delay, priority })
      note({ did: 'accepted', id })
      return
    } catch (error) {
      if (!(error instanceof BackendError && error.retryable)) throw error
      note({ did: 'fault', id, message: error.message })
      await sleep(50)
    }
  }
}
