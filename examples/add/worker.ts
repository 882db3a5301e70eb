import { connect } from 'millrace'
import { add } from './tasks.ts'

const app = connect()
await app.worker({ tasks: [add] }).run() // until Ctrl-C
await app.close()
