import type { Command } from 'commander'
import { type ScheduleHandle, UsageError } from '../../index.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit.ts'
import { examples } from '../help.ts'
import type { Output } from '../output.ts'
import { number } from '../readers.ts'
import type { Register } from '../register.ts'
import { describeSchedule, runText } from '../schedule-view.ts'
import type { Session } from '../session.ts'
import { visible } from '../text.ts'
import { wait } from '../wait.ts'
import { setSchedule } from './schedule-set.ts'
import { listSchedules } from './schedules.ts'

/** Sees to one schedule. */
export const schedule: Register = (program, run) => {
  const parent = program
    .command('schedule')
    .summary('show, set, pause, resume, run or remove a schedule')
    .description('See to one schedule. What it fires are jobs and flows with the id <name>@<due time>.')
    .addHelpText(
      'after',
      examples(
        ['millrace schedule show nightly', 'all that is known of it, with its next runs and its history'],
        [`millrace schedule set poll --every 5m feed.poll '{"url":"https://example.com"}'`, 'define one'],
      ),
    )
  parent
    .command('list')
    .summary('list schedules, as `millrace schedules` does')
    .description('List all schedules by name.')
    .addHelpText('after', examples(['millrace schedule list', 'the same as `millrace schedules`']))
    .action(run(listSchedules))
  one(parent, 'show', 'show a schedule, its next runs and its history')
    .addHelpText('after', examples(['millrace schedule show nightly', 'when does it run, and did it?']))
    .action(run(show))
  one(parent, 'next', 'tell its next due times')
    .option('--count <n>', 'how many, 1 to 1000 (default 5)')
    .addHelpText('after', examples(['millrace schedule next nightly --count 10', 'the next ten']))
    .action(run(next))
  one(parent, 'pause', 'fire it no more until it is resumed')
    .addHelpText('after', examples(['millrace schedule pause nightly', 'also in all later deploys']))
    .action(run((session, command) => move(session, command, 'pause')))
  one(parent, 'resume', 'fire it again from now on')
    .addHelpText(
      'after',
      examples(['millrace schedule resume nightly', 'what passed meanwhile is not made up for']),
    )
    .action(run((session, command) => move(session, command, 'resume')))
  one(parent, 'run', 'fire it now; its due times stay as they are')
    .option('--wait [time]', 'wait for the end, 30s unless a time is given, and print the result')
    .addHelpText(
      'after',
      examples(['millrace schedule run nightly --wait 10m', 'do it now, and print the result']),
    )
    .action(run(fire))
  one(parent, 'remove', 'remove it; what it fired goes on')
    .option('--yes', 'ask nothing')
    .addHelpText('after', examples(['millrace schedule remove nightly --yes', 'in a script']))
    .action(run(remove))
  setSchedule(parent, run)
}

function one(parent: Command, name: string, summary: string): Command {
  const description = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
  return parent.command(name).summary(summary).description(description).argument('<name>', 'its name')
}

async function show({ output, open }: Session, { args: [name = ''] }: Command): Promise<undefined> {
  const handle = (await open()).app.scheduled(name)
  const info = await handle.info()
  if (!info) throw new UsageError('UNKNOWN_SCHEDULE', `There is no schedule ${JSON.stringify(name)}.`)
  const next = await handle.next()
  output.answer({ ...info, upcoming: next }, () => describeSchedule(info, next, output))
}

async function next({ output, open }: Session, command: Command): Promise<undefined> {
  const [name = ''] = command.args
  const { count } = command.opts<{ count?: string }>()
  const handle = (await open()).app.scheduled(name)
  const [times, info] = await Promise.all([
    handle.next(count === undefined ? undefined : number(count, '--count', '')),
    handle.info(),
  ])
  output.answer({ name, upcoming: times }, () =>
    times.length > 0
      ? times.map((time) => runText(time, info?.timezone)).join('\n')
      : `${visible(name)} is ${info?.state}: nothing is due.`,
  )
}

async function move(
  { output, open }: Session,
  { args: [name = ''] }: Command,
  verb: 'pause' | 'resume',
): Promise<undefined> {
  const handle = (await open()).app.scheduled(name)
  await handle[verb]()
  await tellState(handle, output)
}

async function tellState(handle: ScheduleHandle, output: Output): Promise<void> {
  const info = await handle.info()
  const due = info?.next ? `, due ${runText(info.next, info.timezone)}` : ''
  output.answer({ name: handle.name, state: info?.state, next: info?.next }, () =>
    visible(`${handle.name}  ${info?.state}${due}`),
  )
}

async function fire(session: Session, command: Command): Promise<number> {
  const [name = ''] = command.args
  const { wait: limit } = command.opts<{ wait?: string }>()
  const handle = await (await session.open()).app.scheduled(name).run()
  const told = { id: handle.id, schedule: name }
  if (limit !== undefined) {
    session.output.note(visible(handle.id))
    return wait(session, handle, told, limit)
  }
  session.output.answer(told, () => visible(handle.id))
  return EXIT.ok
}

async function remove(session: Session, command: Command): Promise<number> {
  const [name = ''] = command.args
  const { app } = await session.open()
  const handle = app.scheduled(name)
  const yes = command.opts<{ yes?: true }>().yes === true
  const sure = await confirm(`Remove the schedule ${visible(JSON.stringify(name))}?`, yes, session)
  if (!sure) {
    session.output.note('Nothing was changed.')
    return EXIT.failed
  }
  if (!(await handle.remove())) {
    throw new UsageError('UNKNOWN_SCHEDULE', `There is no schedule ${JSON.stringify(name)}.`)
  }
  session.output.answer({ name, removed: true }, () => visible(`${name}  removed`))
  return EXIT.ok
}
