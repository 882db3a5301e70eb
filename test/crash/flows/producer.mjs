// Enqueues large flows until it is killed: node producer.mjs <url> <prefix>. Tells each id before it is enqueued.
import { chain, connect, map } from 'millrace'
import { ok } from './tasks.mjs'

const [, , url = '', prefix = ''] = process.argv
const app = connect(url, { logger: false })
const flow = chain(map(ok, Array(1000).fill(0)), ok)
for (let n = 0; ; n++) {
  const id = `${prefix}-${n}`
  process.send?.(id)
  await app.enqueue(flow, { id })
}
