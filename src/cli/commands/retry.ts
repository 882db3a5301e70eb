import {
  type App,
  BackendError,
  type FailureFilter,
  MillraceError,
  type RetriedMany,
  UsageError,
} from '../../index.ts'
import { EXIT, exitCodeOf } from '../exit.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { visible } from '../text.ts'

interface Flags {
  readonly failed?: true
  readonly task?: string
  readonly queue?: string
  readonly fingerprint?: string
}

interface Retried {
  readonly id: string
  readonly answer: 'waiting' | 'refused' | 'unknown'
  /** The id of a flow's new run. */
  readonly as?: string
  readonly error?: { readonly code: string; readonly message: string }
}

/** Queues ended jobs again. */
export const retry: Register = (program, run) => {
  program
    .command('retry')
    .summary('queue failed jobs again')
    .description(
      'Queue failed, cancelled or expired jobs again, with their attempts counted from 1. A flow is run again ' +
        'under a new id, and takes over the steps that succeeded.',
    )
    .argument('[id...]', 'the ids of jobs or flows')
    .option('--failed', 'all failed jobs, the newest 10,000; steps of flows stay as they are')
    .option('--task <name>', 'with --failed: only jobs of this task')
    .option('--queue <name>', 'with --failed: only jobs of this queue')
    .option(
      '--fingerprint <cause>',
      'with --failed: only those of one cause, as `millrace failures` tells it',
    )
    .addHelpText(
      'after',
      examples(
        ['millrace retry thumb:cat', 'run one job again'],
        ['millrace retry --failed --task mail.notify', 'run all mails that failed again'],
      ),
    )
    .action(
      run(async ({ output, open }, command) => {
        const { args } = command
        const filter = filterOf(command.opts<Flags>(), args)
        const { app } = await open()
        if (filter) {
          const many = await app.retryFailed(filter)
          output.answer(many, () => said(many))
          return EXIT.ok
        }
        const jobs = await Promise.all(args.map((id) => again(app, id)))
        output.answer({ jobs: jobs.map(({ code: _, ...told }) => told) }, () => jobs.map(lineOf).join('\n'))
        return Math.max(...jobs.map(({ code }) => code))
      }),
    )
}

/** All failed jobs of a filter, unless ids are given. */
function filterOf({ failed, ...filter }: Flags, ids: readonly string[]): FailureFilter | undefined {
  if (failed && ids.length > 0)
    throw new UsageError('INVALID_OPTION', 'Name ids, or give --failed, not both.')
  if (failed) return filter
  const [name] = Object.keys(filter)
  if (name) throw new UsageError('INVALID_OPTION', `--${name} goes with --failed.`)
  if (ids.length === 0)
    throw new UsageError('INVALID_OPTION', 'Expected the ids of jobs or flows, or --failed.')
  return undefined
}

function said({ retried, members, more }: RetriedMany): string {
  const steps = members > 0 ? ` ${members} are steps of flows: retry their flows by id.` : ''
  return `${retried} jobs wait again.${steps}${more ? ' There are more: do it once more.' : ''}`
}

async function again(app: App, id: string): Promise<Retried & { code: number }> {
  try {
    if (await isFlow(app, id))
      return { id, answer: 'waiting', as: (await app.flow(id).retry()).id, code: EXIT.ok }
    await app.job(id).retry()
    return { id, answer: 'waiting', code: EXIT.ok }
  } catch (error) {
    if (!(error instanceof MillraceError) || error instanceof BackendError) throw error
    const code = exitCodeOf(error)
    const answer = code === EXIT.notFound ? 'unknown' : 'refused'
    return { id, answer, error: { code: error.code, message: error.message }, code }
  }
}

/** What has a state and is no job. */
const isFlow = async (app: App, id: string): Promise<boolean> => {
  const [state, info] = await Promise.all([app.job(id).state(), app.job(id).info()])
  return state !== 'unknown' && info === undefined
}

const lineOf = ({ id, as, error }: Retried): string =>
  `${visible(id)}  ${visible(error?.message ?? (as === undefined ? 'waiting' : `runs again as ${as}`))}`
