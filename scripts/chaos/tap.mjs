/** @typedef {import('millrace').Backend} Backend */
/** @typedef {import('./types.ts').Note} Note */

/**
 * The backend of a URL, by the driver's own entry, so that a test can stand between it and the app.
 *
 * @param {string} url
 * @returns {Promise<Backend>}
 */
export async function openBackend(url) {
  const scheme = url
    .slice(0, url.indexOf(':'))
    .replace(/^rediss?(\+.*)?$/, 'redis')
    .replace('amqps', 'amqp')
  const driver = await import(/* @vite-ignore */ `millrace/${scheme}`)
  if (scheme !== 'amqp') return driver.open(url)
  return driver.amqp({ url, results: await openBackend(process.env.MILLRACE_RESULTS ?? '') })
}

/**
 * The same backend, with every delivery and every finish in a journal: what the worker was given, what it
 * asked for, and what it was told.
 *
 * @param {Backend} backend
 * @param {Note} note
 * @returns {Backend}
 */
export function tapped(backend, note) {
  return {
    submit: (batch) => backend.submit(batch),
    async consume(options) {
      const consumer = await backend.consume(options)
      return {
        async take(max, signal) {
          note({ did: 'ask', id: '' })
          const taken = await consumer.take(max, signal)
          note(...taken.map(({ job, token }) => /** @type {const} */ ({ did: 'take', id: job.id, token })))
          return taken
        },
        renew: (progress) => consumer.renew(progress),
        async finish(outcomes) {
          const entries = outcomes.map(({ delivery, end }) => ({
            id: delivery.job.id,
            token: delivery.token,
            end: end.kind === 'final' ? end.state : end.kind,
            ...(end.kind === 'final' && runOf(end.result)),
          }))
          note(...entries.map((entry) => /** @type {const} */ ({ did: 'finish', ...entry })))
          const answers = await consumer.finish(outcomes)
          note(
            ...entries.map(
              (entry, i) => /** @type {const} */ ({ did: 'answer', ...entry, answer: answers[i] }),
            ),
          )
          return answers
        },
        [Symbol.asyncDispose]: () => consumer[Symbol.asyncDispose](),
      }
    },
    sweep: (limit) => backend.sweep(limit),
    events: (filter, signal) => backend.events(filter, signal),
    get pulse() {
      return backend.pulse
    },
    records: backend.records,
    control: backend.control,
    schedules: backend.schedules,
    diagnose: () => backend.diagnose(),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

/** The run that a result carries. @param {string} body */
function runOf(body) {
  const run = /"run":"([^"]*)"/.exec(body)?.[1]
  return run === undefined ? {} : { run }
}
