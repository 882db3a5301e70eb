import type { Command } from 'commander'
import { cron, every, type Recurrence, type ScheduleOptions, UsageError } from '../../index.ts'
import { addSettings, examples } from '../help.ts'
import { readInput } from '../input.ts'
import { moment, number } from '../readers.ts'
import type { Register } from '../register.ts'
import { runText } from '../schedule-view.ts'
import type { Session } from '../session.ts'
import { taskOf } from '../tasks.ts'
import { visible } from '../text.ts'

interface Flags {
  readonly cron?: string
  readonly timezone?: string
  readonly every?: string
  readonly start?: string
  readonly end?: string
  readonly limit?: string
  readonly jitter?: string
  readonly missed?: string
  readonly overlap?: string
  readonly tagged?: true
  readonly tasks?: string[] | false
}

/** Defines a schedule, or changes its definition. */
export const setSchedule: Register = (parent, run) => {
  const command = parent
    .command('set')
    .summary('define a schedule, or change its definition')
    .description(
      'Define a schedule that fires a task. The same again changes nothing, another definition replaces the one ' +
        'before; a pause stays. With --tasks the input is checked as in `millrace enqueue`. Flows are scheduled in code.',
    )
    .argument('<name>', 'its name')
    .argument('<task>', 'the name of the task that it fires')
    .argument('[json]', 'its input: JSON, @file, or - for standard input')
    .option('--cron <expression>', "five fields, or six with seconds: '0 3 * * MON-FRI'")
    .option('--timezone <zone>', 'by whose clock it goes, such as Europe/Paris (default UTC)')
    .option('--every <time>', 'at fixed intervals instead, such as 5m, at least 1s')
    .option('--start <time>', 'not before then: 2026-01-31T09:00Z, or local without the Z')
    .option('--end <time>', 'not after then')
    .option('--limit <n>', 'fire it so many times at the most')
    .option('--jitter <time>', 'fire each time up to so much later, so that many do not come at once')
    .option('--missed <policy>', 'due times while no worker ran: skip, latest (default) or all')
    .option('--overlap <policy>', 'while its last run goes on: allow (default), skip or queue')
    .option('--tagged', 'the input is in the form that `job --json` prints')
  addSettings(command, ['tasks'])
    .option('--no-tasks', 'check nothing, whatever the configuration says')
    .addHelpText(
      'after',
      examples(
        [
          `millrace schedule set nightly --cron '0 3 * * *' --timezone Europe/Paris report '{"days":1}'`,
          'at three every night, by the clock of Paris',
        ],
        [
          'millrace schedule set poll --every 5m --overlap skip feed.poll',
          'every five minutes, one at a time',
        ],
      ),
    )
    .action(run(set))
}

async function set(session: Session, command: Command): Promise<undefined> {
  const { output, open } = session
  const [name = '', task = '', json] = command.args
  const flags = command.opts<Flags>()
  const when = recurrenceOf(flags)
  const options = optionsOf(flags)
  const input = await readInput(json, flags.tagged === true, session.signal)
  const { app, settings } = await open({ create: true })
  const definition = await taskOf(task, flags.tasks === false ? [] : settings.tasks)
  const defined = await app.schedule(name, when, definition.with(input) as never, options)
  const info = await defined.info()
  const due = info?.next ? `, due ${runText(info.next, info.timezone)}` : ''
  output.answer({ name, status: defined.status, state: info?.state, next: info?.next }, () =>
    visible(`${name}  ${defined.status}${info?.state === 'paused' ? ' (paused)' : ''}${due}`),
  )
}

function recurrenceOf({ cron: pattern, every: interval, timezone }: Flags): Recurrence {
  if ((pattern === undefined) === (interval === undefined)) {
    throw new UsageError('INVALID_OPTION', "Give either --cron '0 3 * * *' or --every 5m.")
  }
  if (pattern !== undefined) return cron(pattern, timezone === undefined ? {} : { timezone })
  if (timezone === undefined) return every(interval as never)
  throw new UsageError('INVALID_OPTION', '--timezone goes with --cron: intervals are the same in every zone.')
}

function optionsOf({ start, end, limit, jitter, missed, overlap }: Flags): ScheduleOptions {
  return {
    ...(start !== undefined && { start: moment(start, '--start', '') }),
    ...(end !== undefined && { end: moment(end, '--end', '') }),
    ...(limit !== undefined && { limit: number(limit, '--limit', '') }),
    ...(jitter !== undefined && { jitter: jitter as never }),
    // What is no policy is refused by the library.
    ...(missed !== undefined && { missed: missed as never }),
    ...(overlap !== undefined && { overlap: overlap as never }),
  }
}
