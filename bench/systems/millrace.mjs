import { pathToFileURL } from 'node:url'
import { now } from '../harness/clock.mjs'
import { library } from './library.mjs'

const REPOSITORY = new URL('../../', import.meta.url)

/**
 * Millrace through its public API. As `millrace.mjs?/path/of/a/checkout` it is another build of it.
 *
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Queue>}
 */
export async function open({ url, results }) {
  const other = new URL(import.meta.url).search.slice(1)
  const folder = other ? new URL(`${pathToFileURL(decodeURIComponent(other)).href}/`) : REPOSITORY
  const { connect, task, chain, group, cron, every } = await library(folder)
  const app = connect(url, { logger: false, ...(results && { results }) })
  /** @type {import('../types.ts').Handler} */
  let handler = () => undefined
  const job = task('bench.job', async (/** @type {any} */ input) => /** @type {any} */ (await handler(input)))
  const fired = task('bench.fired', { keep: 0 }, async (/** @type {any} */ _, { id }) => {
    const late = Date.now() - Date.parse(id.slice(id.indexOf('@') + 1))
    await handler({ due: now() - late })
  })
  const count = task('bench.count', (/** @type {unknown[]} */ results) => results.length)
  const next = task('bench.next', (/** @type {number} */ n) => n + 1)
  const wait = { timeout: '10m' }

  return {
    add: (input, options) => app.enqueue(job.with(input), options),
    addAll: (inputs) => app.enqueue(inputs.map((input) => job.with(input))),
    async call(input) {
      return (await app.enqueue(job.with(input))).result()
    },
    async work(concurrency, run) {
      handler = run
      const worker = app.worker({ tasks: [job, fired, count, next], concurrency, signals: false })
      const running = worker.run()
      return async () => {
        await worker.stop()
        await running
      }
    },
    schedule: (name, second) =>
      app.schedule(
        name,
        second === undefined ? every('30d') : cron(`${second} * * * * *`, { timezone: 'Europe/Paris' }),
        fired.with({}),
      ),
    async chord(inputs) {
      return (await app.enqueue(chain(group(inputs.map((input) => job.with(input))), count))).result(wait)
    },
    async chain(steps) {
      const rest = Array.from({ length: steps - 2 }, () => next)
      const flow = await app.enqueue(chain(next.with(0), next, ...rest))
      return flow.result(wait)
    },
    close: () => app.close(),
  }
}
