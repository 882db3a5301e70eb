import { type App, BackendError, MillraceError } from '../../index.ts'
import { EXIT, exitCodeOf } from '../exit.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { visible } from '../text.ts'

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
    .argument('<id...>', 'the ids of jobs or flows')
    .addHelpText(
      'after',
      examples(
        ['millrace retry thumb:cat', 'run one job again'],
        [
          `millrace jobs --state failed --task mail.notify --json | jq -r '.jobs[].id' | xargs millrace retry`,
          'run the newest 50 mails that failed again',
        ],
      ),
    )
    .action(
      run(async ({ output, open }, { args }) => {
        const { app } = await open()
        const jobs = await Promise.all(args.map((id) => again(app, id)))
        output.answer({ jobs: jobs.map(({ code: _, ...told }) => told) }, () => jobs.map(lineOf).join('\n'))
        return Math.max(...jobs.map(({ code }) => code))
      }),
    )
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
