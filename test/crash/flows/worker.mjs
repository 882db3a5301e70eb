// One worker process: node worker.mjs <url> <queues>. It runs until it is killed.
import { connect } from 'millrace'
import { tasks } from './tasks.mjs'

const [, , url = '', queues = ''] = process.argv
const app = connect(url, { logger: false })
process.on('disconnect', () => process.exit())
await app.worker({ tasks, queues: queues.split(','), concurrency: 5, lease: '1s', signals: false }).run()
