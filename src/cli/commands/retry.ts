import { type App, BackendError, MillraceError } from '../../index.ts'
import { EXIT, exitCodeOf } from '../exit.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { visible } from '../text.ts'

interface Retried {
  readonly id: string
  readonly answer: 'waiting' | 'refused' | 'unknown'
  readonly error?: { readonly code: string; readonly message: string }
}

/** Queues ended jobs again. */
export const retry: Register = (program, run) => {
  program
    .command('retry')
    .summary('queue failed jobs again')
    .description('Queue failed, cancelled or expired jobs again, with their attempts counted from 1.')
    .argument('<id...>', 'the ids of the jobs')
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
        output.answer({ jobs: jobs.map(({ code: _, ...told }) => told) }, () =>
          jobs.map(({ id, error }) => `${visible(id)}  ${visible(error?.message ?? 'waiting')}`).join('\n'),
        )
        return Math.max(...jobs.map(({ code }) => code))
      }),
    )
}

async function again(app: App, id: string): Promise<Retried & { code: number }> {
  try {
    await app.job(id).retry()
    return { id, answer: 'waiting', code: EXIT.ok }
  } catch (error) {
    if (!(error instanceof MillraceError) || error instanceof BackendError) throw error
    const code = exitCodeOf(error)
    const answer = code === EXIT.notFound ? 'unknown' : 'refused'
    return { id, answer, error: { code: error.code, message: error.message }, code }
  }
}
