import { connect } from 'millrace'
import { add } from './tasks.ts'

const app = connect()
const job = await app.enqueue(add.with({ x: 15, y: 25 }), {
  delay: '5s',
  retry: { attempts: 4, backoff: 'fixed', from: '1s' }, // the first run, and three retries one second apart
})
console.log(job.id)
await app.close()
