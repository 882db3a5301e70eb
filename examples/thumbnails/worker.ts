import { connect } from 'millrace'
import { contactSheet, thumbnail } from './tasks.ts'

const app = connect()
const worker = app.worker({
  tasks: [thumbnail, contactSheet],
  concurrency: Number(process.env.CONCURRENCY ?? 2),
  lease: process.env.LEASE ?? '15s',
})
console.log(worker.id)
await worker.run()
await app.close()
