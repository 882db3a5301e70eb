import { redact } from '../../index.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { scheduleTable } from '../schedule-view.ts'
import type { Session } from '../session.ts'
import { visible } from '../text.ts'

/** Lists the schedules. */
export const schedules: Register = (program, run) => {
  program
    .command('schedules')
    .summary('list schedules')
    .description('List all schedules by name, with what they fire and when they are due next.')
    .addHelpText(
      'after',
      examples(
        ['millrace schedules', 'see what is fired when'],
        [
          `millrace schedules --json | jq -r '.schedules[] | select(.state == "paused").name'`,
          'names of those that are paused',
        ],
      ),
    )
    .action(run(listSchedules))
}

export async function listSchedules({ output, open }: Session): Promise<undefined> {
  const { app, settings } = await open()
  const all = await app.schedules()
  output.answer({ schedules: all }, () => scheduleTable(all, visible(redact(settings.url)), output))
  return undefined
}
