import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, connect } from 'millrace'
import { faultsOf } from './check.ts'
import { start, stopAll } from './processes.ts'
import { labelOf, table, tell } from './report.ts'
import { albums, type Upload, upload } from './upload.ts'
import { killAtWork, stepsOf, workersReady } from './watch.ts'

// `npm run demo`: a web page and two workers on one SQLite file. Photos are uploaded, a worker is killed in
// the middle of its work, and every picture is made all the same.

/** A dead worker's jobs run elsewhere within two leases. A lease is 15 s unless set; short here for the show. */
const LEASE = '2s'

const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
const env = {
  MILLRACE_URL: `sqlite:${join(folder, 'millrace.db')}`,
  THUMBNAILS_FOLDER: join(folder, 'photos'),
  PORT: '0',
  LEASE,
}
const app = connect(env.MILLRACE_URL)

/** @returns the server's address */
async function show(app: App): Promise<string> {
  const [server, first, second] = await Promise.all([
    start('server.ts', env),
    start('worker.ts', env),
    start('worker.ts', env),
  ])
  await workersReady(app, [first, second])
  tell(`a web page at ${server.name}`)
  tell(`workers ${first.pid} and ${second.pid}, with a lease of ${LEASE} (15s unless set)`)

  const uploads: Upload[] = []
  const flows: string[] = []
  const uploadAll = async () => {
    for (const names of albums) {
      const done = await upload(server.name, names)
      uploads.push(done)
      flows.push(done.id)
      tell(`202 in ${done.ms.toFixed(0)} ms, ${done.enqueueMs} of them to enqueue: ${names.join(', ')}`)
    }
  }
  const [held] = await Promise.all([killAtWork(app, flows, first), uploadAll()])
  const killed = Date.now()
  const labels = held.map((step) => labelOf(uploads, step)).join(', ')
  tell(`worker ${first.pid} killed with SIGKILL in the middle of ${labels}`)
  const third = await start('worker.ts', env)
  tell(`worker ${third.pid} started in its place`)
  await Promise.all(flows.map((id) => app.flow(id).settled({ timeout: '40s' })))

  const steps = await stepsOf(app, flows)
  const faults: string[] = []
  for (const { id } of held) {
    const step = steps.find((step) => step.id === id)!
    const { worker, crashes, ended } = step.job!
    const by = [second, third].find(({ name }) => name === worker)
    if (!by || crashes === 0) faults.push(`${labelOf(uploads, step)} was not made by another worker`)
    else
      tell(
        `${labelOf(uploads, step)} made by worker ${by.pid}, ${ended!.getTime() - killed} ms after the kill`,
      )
  }
  console.log(`\n${table(uploads, steps)}\n  * after its worker was killed\n`)

  faults.push(...(await Promise.all(flows.map((id) => faultsOf(server.name, id)))).flat())
  if (faults.length > 0) throw new Error(`Not as it should be:\n${faults.join('\n')}`)

  const photos = albums.flat().length
  const jobs = `${held.length} ${held.length === 1 ? 'job' : 'jobs'}`
  console.log(
    `Shown: ${photos} photos accepted, a worker killed with ${jobs} in its hands, ` +
      `${steps.length - flows.length} thumbnails and ${flows.length} contact sheets made and measured, none missing.`,
  )
  return server.name
}

const interrupted = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)))

try {
  const shown = show(app)
  const address = await Promise.race([shown, interrupted.then(() => undefined)])
  if (address === undefined) process.exitCode = 130
  else if (process.stdout.isTTY) {
    console.log(`Open ${address} and upload your own. Ctrl-C ends it.`)
    await interrupted
  }
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
await app.close()
await stopAll()
await rm(folder, { recursive: true, force: true })
// Cut short, the show may still be at something.
if (process.exitCode === 130) process.exit()
