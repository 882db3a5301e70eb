import { type FailureGroup, redact } from '../../index.ts'
import { examples } from '../help.ts'
import type { Output } from '../output.ts'
import { number } from '../readers.ts'
import type { Register } from '../register.ts'
import { table } from '../table.ts'
import { visible } from '../text.ts'
import { span } from '../time.ts'

interface Flags {
  readonly task?: string
  readonly queue?: string
  readonly most?: string
}

/** Groups failed jobs by cause. */
export const failures: Register = (program, run) => {
  program
    .command('failures')
    .summary('see what fails, by cause')
    .description(
      'Group failed jobs by cause: those of one task whose errors differ only in ids, numbers and quoted text. The ' +
        'most frequent stand first.',
    )
    .option('--task <name>', 'only jobs of this task')
    .option('--queue <name>', 'only jobs of this queue')
    .option('--most <n>', 'failed jobs to read, the newest first (default 10000)')
    .addHelpText(
      'after',
      examples(
        ['millrace failures', 'what fails, and how often'],
        ['millrace retry --failed --fingerprint 1f0c4a2b', 'run all of one cause again, once it is mended'],
      ),
    )
    .action(
      run(async ({ output, open }, command) => {
        const { most, ...filter } = command.opts<Flags>()
        const { app, settings } = await open()
        const found = await app.failures({
          ...filter,
          ...(most !== undefined && { most: number(most, '--most', '') }),
        })
        output.answer(found, () =>
          found.groups.length > 0
            ? tableOf(found.groups, output)
            : `No failed jobs in ${visible(redact(settings.url))}.`,
        )
        if (found.more) output.note(`Of the newest ${found.count} failed jobs; there are more: --most`)
        return undefined
      }),
    )
}

function tableOf(groups: readonly FailureGroup[], { colors, columns }: Output): string {
  const now = Date.now()
  return table(
    groups,
    [
      { title: 'CAUSE', of: ({ fingerprint }) => fingerprint, least: 8 },
      { title: 'JOBS', of: ({ count }) => String(count), right: true, paint: colors.red },
      { title: 'LAST', of: ({ last }) => span(now - last.getTime()), right: true },
      { title: 'TASK', of: ({ task }) => task, least: 8 },
      { title: 'CODE', of: ({ error }) => error.code, least: 6 },
      { title: 'ERROR', of: ({ error }) => error.message, least: 10 },
    ],
    columns,
    colors.dim,
  )
}
