import { redact } from '../../index.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { table } from '../table.ts'
import { visible } from '../text.ts'
import { age } from '../time.ts'

/** Lists the workers that are alive. */
export const workers: Register = (program, run) => {
  program
    .command('workers')
    .summary('list the workers that are alive')
    .description(
      'List the workers of all processes that are alive, and those whose lease has not run out yet.',
    )
    .addHelpText(
      'after',
      examples(
        ['millrace workers', 'who works, on which queues, and how much each holds'],
        [`millrace workers --json | jq '.workers | length'`, 'how many there are'],
      ),
    )
    .action(
      run(async ({ output, open }) => {
        const { app, settings } = await open()
        const all = await app.workers()
        const now = Date.now()
        output.answer({ workers: all }, () => {
          if (all.length === 0) return `No workers on ${visible(redact(settings.url))}.`
          return table(
            all,
            [
              { title: 'WORKER', of: ({ id }) => id, least: 16 },
              { title: 'JOBS', of: ({ active }) => String(active), right: true },
              { title: 'LEASE ENDS', of: ({ expires }) => age(expires, now), right: true },
              { title: 'QUEUES', of: ({ queues }) => queues.join(', '), least: 6 },
            ],
            output.columns,
            output.colors.dim,
          )
        })
        return undefined
      }),
    )
}
