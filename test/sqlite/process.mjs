// Another process on the same file: does what its parent asks for, one call at a time.
import { createRequire } from 'node:module'
import { open } from 'millrace/sqlite'

const url = /** @type {string} */ (process.argv[2])
const backend = open(url)
/** @type {import('../../src/port/backend.ts').Consumer | undefined} */
let consumer
/** @type {any} */
let raw

/** @type {Record<string, (...values: any[]) => unknown>} */
const calls = {
  submit: (batch) => backend.submit(batch),
  sweep: (limit) => backend.sweep(limit),
  state: async (id) => (await backend.records.get([id]))[0]?.state ?? 'unknown',
  diagnose: () => backend.diagnose(),
  cancel: (id) => backend.control.cancel([id]),
  consume: async (worker, lease) => {
    consumer = await backend.consume({
      worker,
      queues: [{ name: 'default', weight: 1 }],
      capacity: 10,
      lease,
    })
  },
  take: async (max, patience) =>
    (await consumer?.take(max, AbortSignal.timeout(patience)))?.map(({ job }) => job.id),
  renew: () => consumer?.renew([]),
  finishNext: async () => {
    const [delivery] = (await consumer?.take(1, new AbortController().signal)) ?? []
    if (!delivery) return undefined
    const end = /** @type {const} */ ({ kind: 'final', state: 'succeeded', result: '1null' })
    await consumer?.finish([{ delivery, ran: 0, end }])
    return delivery.job.id
  },
  lock: (path) => {
    const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite')
    raw = new DatabaseSync(path)
    raw.exec('BEGIN IMMEDIATE')
  },
  unlock: () => raw.close(),
  leave: () => process.disconnect(),
}

process.on('message', async (message) => {
  const { call, values } = /** @type {{ call: string, values: unknown[] }} */ (message)
  try {
    const value = await calls[call]?.(...values)
    if (process.connected) process.send?.({ value })
  } catch (error) {
    const { name, code, message, retryable } = /** @type {any} */ (error)
    process.send?.({ error: { name, code, message, retryable } })
  }
})
process.send?.('ready')
