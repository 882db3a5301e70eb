import { EXIT } from '../exit.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { visible } from '../text.ts'

const SAID = {
  cancelled: 'cancelled',
  cancelling: 'cancelling: it is with a worker, which is told',
  final: 'had ended before',
  unknown: 'not found',
} as const

/** Cancels jobs and flows. */
export const cancel: Register = (program, run) => {
  program
    .command('cancel')
    .summary('cancel jobs')
    .description(
      'Cancel jobs, or whole flows by their id: what has not started ends at once, a running handler is told by ' +
        'its signal. One that had ended before is no error.',
    )
    .argument('<id...>', 'the ids of jobs or flows')
    .addHelpText(
      'after',
      examples(
        ['millrace cancel thumb:cat', 'cancel one job'],
        [
          `millrace jobs --state waiting --json | jq -r '.jobs[].id' | xargs millrace cancel`,
          'cancel the newest 50 that wait',
        ],
      ),
    )
    .action(
      run(async ({ output, open }, { args }) => {
        const { app } = await open()
        const jobs = await Promise.all(args.map(async (id) => ({ id, answer: await app.job(id).cancel() })))
        output.answer({ jobs }, () =>
          jobs.map(({ id, answer }) => `${visible(id)}  ${SAID[answer]}`).join('\n'),
        )
        return jobs.some(({ answer }) => answer === 'unknown') ? EXIT.notFound : EXIT.ok
      }),
    )
}
