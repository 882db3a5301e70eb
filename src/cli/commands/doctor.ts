import type { App } from '../../index.ts'
import { redact } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { examples } from '../help.ts'
import type { Output } from '../output.ts'
import type { Register } from '../register.ts'
import type { Session } from '../session.ts'
import type { Settings } from '../settings.ts'
import { unknownVariables } from '../sources.ts'
import { hint } from '../suggest.ts'
import { loadTasks } from '../tasks.ts'
import { visible } from '../text.ts'
import { span } from '../time.ts'
import { version } from '../version.ts'

interface Finding {
  readonly check: string
  /** `fault`: it does not work. `warning`: it works, and may lose or slow work. */
  readonly status: 'ok' | 'warning' | 'fault'
  readonly message: string
}

/** Looks at all that a worker or a producer needs, and says what is wrong. */
export const doctor: Register = (program, run) => {
  program
    .command('doctor')
    .summary('check the backend, the versions, the clock and the settings')
    .description(
      'Check that the backend can be reached, the versions of Node.js, Millrace and the backend, the clock, the ' +
        'configuration and its tasks; warn of settings that would lose or slow work, of lost workers, and of queues that ' +
        'no worker serves. Exits with 1 on a fault.',
    )
    .addHelpText(
      'after',
      examples(
        ['millrace doctor', 'check the backend that the configuration names'],
        ['millrace doctor --url sqlite:/var/lib/app/jobs.db --json', 'another one, for a program'],
        ['millrace doctor --url amqp://rabbit --results redis://redis', 'RabbitMQ and the store behind it'],
      ),
    )
    .action(
      run(async (session) => {
        const findings = [...runtime(), ...(await configuration(session))]
        // Without a configuration it is not known which backend is meant.
        if (!findings.some(({ status }) => status === 'fault')) findings.push(...(await backend(session)))
        const ok = !findings.some(({ status }) => status === 'fault')
        session.output.answer({ ok, findings }, () =>
          findings.map((each) => lineOf(each, session.output)).join('\n'),
        )
        return ok ? EXIT.ok : EXIT.failed
      }),
    )
}

function lineOf({ check, status, message }: Finding, { colors }: Output): string {
  const mark = {
    ok: colors.green('ok     '),
    warning: colors.yellow('warning'),
    fault: colors.red('FAULT  '),
  }
  return `${mark[status]}  ${check.padEnd(9)}  ${visible(redact(message))}`
}

const LEAST_NODE = [20, 19] as const

function runtime(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const old = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])
  return [
    { check: 'millrace', status: 'ok', message: version },
    {
      check: 'node',
      status: old ? 'fault' : 'ok',
      message: process.versions.node + (old ? ` is older than ${LEAST_NODE.join('.')}. Update Node.js.` : ''),
    },
  ]
}

async function configuration({ settings }: Session): Promise<Finding[]> {
  const strays = unknownVariables(process.env).map(
    ({ name, known }): Finding => ({
      check: 'config',
      status: 'warning',
      message: `Nothing reads the variable ${name}. ${hint(name, known)}`,
    }),
  )
  try {
    const { file, settings: all } = await settings()
    const message = file ?? 'no millrace.config.* here: flags, variables and defaults hold'
    return [{ check: 'config', status: 'ok', message }, ...strays, ...losses(all), ...(await tasks(all))]
  } catch (error) {
    return [...strays, { check: 'config', status: 'fault', message: messageOf(error) }]
  }
}

/** Settings by which work can be lost, or its trace. */
function losses({ url, results, keep, timeout }: Settings): Finding[] {
  const failed = typeof keep === 'object' ? keep.failed : keep
  const warnings = [
    ...(url.startsWith('memory:') || results?.startsWith('memory:')
      ? ['memory: keeps jobs in one process, and none when it ends. Name sqlite:./millrace.db or so.']
      : []),
    ...(failed === 0
      ? ['keep is 0 for failed jobs: they leave no record to read or to retry. Keep them a day.']
      : []),
    ...(timeout === false
      ? ['timeout is off: a handler whose promise never settles holds its place for ever. Set one.']
      : []),
  ]
  return warnings.map((message) => ({ check: 'settings', status: 'warning', message }))
}

async function tasks({ tasks: files }: Settings): Promise<Finding[]> {
  if (files.length === 0) return []
  try {
    const { tasks, contracts } = await loadTasks(files)
    const names = tasks.map(({ name }) => name)
    const without = contracts.filter(({ name }) => !names.includes(name))
    return [
      { check: 'tasks', status: 'ok', message: `${names.length} with a handler: ${names.join(', ')}` },
      ...without.map(
        ({ name }): Finding => ({
          check: 'tasks',
          status: 'warning',
          message: `${name} has no handler here.`,
        }),
      ),
    ]
  } catch (error) {
    return [{ check: 'tasks', status: 'fault', message: messageOf(error) }]
  }
}

async function backend({ open }: Session): Promise<Finding[]> {
  try {
    const { app } = await open()
    const { backend, versions, clockSkew, warnings } = await app.diagnose()
    const of = Object.entries(versions).map(([name, number]) => `${name} ${number}`)
    return [
      { check: 'backend', status: 'ok', message: `${redact(backend)} answers: ${of.join(', ')}` },
      clock(clockSkew),
      ...warnings.map((message): Finding => ({ check: 'backend', status: 'warning', message })),
      ...(await attendance(app, Date.now() + clockSkew)),
    ]
  } catch (error) {
    const status = (error as { code?: string }).code === 'BACKEND_MISSING' ? 'warning' : 'fault'
    return [{ check: 'backend', status, message: messageOf(error) }]
  }
}

const MUCH_SKEW = 1000

function clock(skew: number): Finding {
  if (Math.abs(skew) < MUCH_SKEW)
    return { check: 'clock', status: 'ok', message: `${span(Math.abs(skew))} apart` }
  return {
    check: 'clock',
    status: 'warning',
    message: `The backend's clock is ${span(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this machine's. Jobs go by the backend's: "at" means its time. Set the clocks.`,
  }
}

/** Workers that are lost, and queues in which jobs wait though no worker takes from them. */
async function attendance(app: App, now: number): Promise<Finding[]> {
  // First: on some backends, counting sees to the jobs of lost workers.
  const workers = await app.workers()
  const queues = await app.queues()
  const alive = workers.filter(({ expires }) => expires.getTime() > now)
  const served = new Set(alive.flatMap((worker) => worker.queues))
  const losses = workers
    .filter((worker) => worker.active > 0 && !alive.includes(worker))
    .map(
      ({ id, active, expires }): Finding => ({
        check: 'workers',
        status: 'warning',
        message:
          `The worker ${id} was lost: its lease lapsed ${span(now - expires.getTime())} ago, with ${jobs(active)} in hand. ` +
          (alive.length > 0 ? 'Another takes over within a second.' : 'Any other takes over: start one.'),
      }),
    )
  const waiting = queues
    .map(({ name, counts }) => ({ name, count: (counts.waiting ?? 0) + (counts.retrying ?? 0) }))
    .filter(({ name, count }) => count > 0 && !served.has(name))
    .map(
      ({ name, count }): Finding => ({
        check: 'queues',
        status: 'warning',
        message: `${jobs(count)} ${count === 1 ? 'waits' : 'wait'} in ${JSON.stringify(name)}, which no worker serves. Start one with --queues ${name}`,
      }),
    )
  return [...losses, ...waiting]
}

const jobs = (count: number): string => `${count} ${count === 1 ? 'job' : 'jobs'}`

function messageOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string }
  return `${message ?? String(error)}${code === undefined ? '' : ` [${code}]`}`
}
