import { setTimeout as sleep } from 'node:timers/promises'
import type { JobState, QueueInfo } from '../../index.ts'
import { redact } from '../../index.ts'
import { examples } from '../help.ts'
import { paintState } from '../job-view.ts'
import type { Output } from '../output.ts'
import type { Register } from '../register.ts'
import { type Column, table } from '../table.ts'
import { visible } from '../text.ts'
import { clock } from '../time.ts'

const EVERY = 1000
const CLEAR = '\x1b[2J\x1b[H'

const STATES = [
  'scheduled',
  'waiting',
  'active',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[]

/** Counts the jobs of each queue by state. */
export const queues: Register = (program, run) => {
  program
    .command('queues')
    .summary('count jobs by queue and state')
    .description('Count the jobs of each queue by state. Ended ones count as long as their record is kept.')
    .option('--watch', 'again every second, until Ctrl-C')
    .addHelpText(
      'after',
      examples(
        ['millrace queues --watch', 'see the queues fill and drain'],
        [`millrace queues --json | jq '.queues[] | select(.counts.failed > 0).name'`, 'queues with failures'],
      ),
    )
    .action(
      run(async ({ output, signal, open }, command) => {
        const { app, settings } = await open()
        const where = visible(redact(settings.url))
        if (!command.opts<{ watch?: true }>().watch) {
          const all = await app.queues()
          output.answer({ queues: all }, () => tableOf(all, where, output))
          return undefined
        }
        while (!signal.aborted) {
          const all = await app.queues()
          const time = new Date()
          output.event({ time, queues: all }, () => {
            const head = output.colors.dim(`${where}  ${clock(time)}`)
            return `${output.terminal ? CLEAR : ''}${head}\n${tableOf(all, where, output)}`
          })
          await sleep(EVERY, undefined, { signal }).catch(() => undefined)
        }
        return undefined
      }),
    )
}

function tableOf(rows: readonly QueueInfo[], where: string, { colors, columns }: Output): string {
  if (rows.length === 0) return `No jobs in ${where}.`
  const counts = STATES.map(
    (state): Column<QueueInfo> => ({
      title: state.toUpperCase(),
      of: ({ counts }) => String(counts[state] ?? 0),
      right: true,
      paint: (text, { counts }) => (counts[state] ? paintState(state, text, colors) : colors.dim(text)),
    }),
  )
  return table(rows, [{ title: 'QUEUE', of: ({ name }) => name, least: 8 }, ...counts], columns, colors.dim)
}
