// One worker process of a storm.
import { connect } from 'millrace'
import { openJournal } from './journal.mjs'
import { openBackend, tapped } from './tap.mjs'
import { tasksOf } from './tasks.mjs'

const { url, folder, name, lease } = JSON.parse(process.argv[2] ?? '{}')
const note = openJournal(folder, name)
/** @param {{ error?: { message?: string } }} fields @param {string} message */
const fault = ({ error }, message) => {
  if (message === 'backend error') note({ did: 'fault', id: '', message: error?.message ?? 'unknown' })
}
const logger = { debug() {}, info() {}, warn() {}, error: fault }

const orphaned = () => process.exit(1)
process.on('disconnect', orphaned)
const app = connect(tapped(await openBackend(url), note), { logger })
const { work, sum } = tasksOf(note, name)
const worker = app.worker({ tasks: [work, sum], concurrency: 20, lease, grace: '5s' })
process.send?.('up')
await worker.run()
await app.close()
process.off('disconnect', orphaned)
process.disconnect?.()
