import { connect } from 'millrace'
import { add } from './tasks.ts'

const app = connect()
const job = app.job(process.argv[2] ?? '', add)
console.log(await job.state())
console.log(await job.result({ timeout: '10s' }))
await app.close()
