import type { JobInfo, JobState } from '../../index.ts'
import { redact } from '../../index.ts'
import { examples } from '../help.ts'
import { paintState, stateOf } from '../job-view.ts'
import type { Output } from '../output.ts'
import { number } from '../readers.ts'
import type { Register } from '../register.ts'
import { table } from '../table.ts'
import { visible } from '../text.ts'
import { age, span } from '../time.ts'
import { jobJson } from '../values.ts'

interface Flags {
  readonly state?: JobState
  readonly task?: string
  readonly queue?: string
  readonly limit?: string
  readonly cursor?: string
}

/** Lists jobs, newest first. */
export const jobs: Register = (program, run) => {
  program
    .command('jobs')
    .summary('list jobs')
    .description('List jobs, newest first, a page at a time.')
    .option(
      '--state <state>',
      'scheduled, waiting, active, retrying, succeeded, failed, cancelled or expired',
    )
    .option('--task <name>', 'only jobs of this task')
    .option('--queue <name>', 'only jobs of this queue')
    .option('--limit <n>', 'jobs on a page, 1 to 1000 (default 50)')
    .option('--cursor <text>', 'go on where the last page ended')
    .addHelpText(
      'after',
      examples(
        ['millrace jobs --state failed --task mail.notify', 'the mails that failed'],
        ['millrace jobs --state active --json', 'what runs now, as JSON: { jobs, cursor }'],
      ),
    )
    .action(
      run(async ({ output, open }, command) => {
        const { limit, ...filter } = command.opts<Flags>()
        const { app, settings } = await open()
        const page = await app.jobs({
          ...filter,
          ...(limit !== undefined && { limit: number(limit, '--limit', '') }),
        })
        output.answer({ ...page, jobs: page.jobs.map(jobJson) }, () =>
          page.jobs.length > 0
            ? tableOf(page.jobs, output)
            : `No such jobs in ${visible(redact(settings.url))}.`,
        )
        if (page.cursor !== undefined) output.note(`More: --cursor ${visible(page.cursor)}`)
        return undefined
      }),
    )
}

function tableOf(rows: readonly JobInfo[], { colors, columns }: Output): string {
  const now = Date.now()
  return table(
    rows,
    [
      { title: 'ID', of: ({ id }) => id, least: 36 },
      { title: 'STATE', of: stateOf, least: 9, paint: (text, { state }) => paintState(state, text, colors) },
      { title: 'TASK', of: ({ task }) => task, least: 8 },
      { title: 'QUEUE', of: ({ queue }) => queue, least: 5 },
      { title: 'TRY', of: ({ attempt }) => String(attempt), right: true },
      { title: 'AGE', of: ({ created }) => span(now - created.getTime()), right: true },
      { title: 'NOTE', of: noteOf, least: 4, paint: colors.dim },
    ],
    columns,
    colors.dim,
  )
}

function noteOf({ state, error, progress, next }: JobInfo): string {
  if (error) return error.message
  if (next && (state === 'scheduled' || state === 'retrying')) return `runs ${age(next, Date.now())}`
  if (progress && state === 'active') return `${Math.round(progress.percent)} % ${progress.note ?? ''}`
  return ''
}
