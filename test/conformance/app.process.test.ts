import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'millrace-process-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Run a program to its own end, which must come by itself. */
async function run(url: string, program: string): Promise<string> {
  const source = `
    import { chain, connect, task } from 'millrace'
    const inc = task('inc', (n) => n + 1)
    const never = task('never', { timeout: false }, () => new Promise(() => {}))
    const app = connect(${JSON.stringify(url)}, { logger: false })
    ${program}
  `
  const root = join(import.meta.dirname, '../..')
  const args = ['--input-type=module', '--eval', source]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 15_000 })
  return stdout.trim()
}

describe.each([
  ['memory:', 'memory'],
  [`sqlite:${join(folder, 'jobs.db')}`, 'SQLite'],
])('a process on %s', (url) => {
  test('ends by itself once its app is closed, whatever it has done', async () => {
    const told = await run(
      url,
      `
      const worker = app.worker({ tasks: [inc, never], grace: 50 })
      const running = worker.run()
      const job = await app.enqueue(chain(inc.with(1), inc))
      console.log(await job.result())
      const stuck = await app.enqueue(never.with(null))
      const gaveUp = stuck.result().catch((error) => error.code)
      const following = (async () => { for await (const _ of stuck.progress); return 'followed' })()
      while ((await stuck.state()) !== 'active') await new Promise(setImmediate)
      await app.close()
      await running
      console.log(await gaveUp, await following)
      `,
    )
    expect(told).toBe('3\nABORTED followed')
  })

  test('ends by itself when it has only enqueued and closed', async () => {
    expect(await run(url, `await app.enqueue(inc.with(1)); await app.close(); console.log('over')`)).toBe(
      'over',
    )
  })

  test('ends by itself when it has only looked, without a close', async () => {
    expect(await run(url, `console.log((await app.jobs({ state: 'failed' })).jobs.length)`)).toBe('0')
  })

  test('stays while it follows the progress of a job, and while it waits for a result', async () => {
    const told = await run(
      url,
      `
      const job = await app.enqueue(inc.with(1), { delay: '1h' })
      setTimeout(() => job.cancel(), 200).unref()
      for await (const _ of job.progress);
      console.log(await job.state())
      console.log(await (await app.enqueue(inc.with(1))).result({ timeout: 100 }).catch((error) => error.code))
      await app.close()
      `,
    )
    expect(told).toBe('cancelled\nRESULT_TIMEOUT')
  })

  test('stays while a worker runs, and ends with it', async () => {
    const told = await run(
      url,
      `
      const worker = app.worker({ tasks: [inc] })
      setTimeout(() => worker.stop(), 300).unref()
      await worker.run()
      console.log(worker.health().state)
      `,
    )
    expect(told).toBe('stopped')
  })
})

test('a process stays until a backend that is silent has had its time to accept a job', async () => {
  const told = await run(
    'memory:',
    `
    const silent = { submit: () => new Promise(() => {}), [Symbol.asyncDispose]: async () => {} }
    const hung = connect(silent, { logger: false, enqueueTimeout: 150 })
    console.log(await hung.enqueue(inc.with(1)).catch((error) => error.code))
    `,
  )
  expect(told).toBe('ENQUEUE_TIMEOUT')
})
