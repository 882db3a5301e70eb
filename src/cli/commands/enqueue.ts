import type { Command } from 'commander'
import type { EnqueueOptions, Handle } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { addSettings, append, examples } from '../help.ts'
import { readInput } from '../input.ts'
import { invalid, keep, moment, number, retry, timeout } from '../readers.ts'
import type { Register } from '../register.ts'
import type { Session } from '../session.ts'
import { type Named, taskOf } from '../tasks.ts'
import { visible } from '../text.ts'
import { wait } from '../wait.ts'

interface Flags {
  readonly delay?: string
  readonly at?: string
  readonly priority?: string
  readonly id?: string
  readonly queue?: string
  readonly retry?: string
  readonly timeout?: string
  readonly keep?: string
  readonly expires?: string
  readonly header?: readonly string[]
  readonly wait?: string
  readonly tagged?: true
  readonly tasks?: string[] | false
}

/** Hands one job over, and waits for it if asked to. */
export const enqueue: Register = (program, run) => {
  const command = program
    .command('enqueue')
    .summary('hand a job over')
    .description(
      'Queue a job and print its id; with --wait, its result. With --tasks (or MILLRACE_TASKS, or tasks in the ' +
        "configuration) the input is checked by the task's schema, and the task's own queue, retry and so on hold; " +
        'without, any name and any JSON are accepted.',
    )
    .argument('<task>', 'the name of the task')
    .argument('[json]', 'its input: JSON, @file, or - for standard input')
    .option('--delay <time>', 'run it no earlier than after this time, such as 5s or 1h30m')
    .option('--at <time>', 'run it no earlier than then: 2026-01-31T09:00Z, or local without the Z')
    .option('--priority <0-9>', '9 is taken first (default 0)')
    .option('--id <id>', 'an id of your own: the same one again is answered "duplicate" and changes nothing')
    .option('--queue <name>', 'the line it waits in')
    .option(
      '--retry <rule>',
      'how often it may run: 5, or attempts=5,backoff=fixed,from=1s,to=5m,jitter=false',
    )
    .option('--timeout <time>', 'how long one run may take; none for no limit')
    .option('--keep <time>', 'how long its record stays: 1h, or succeeded=1h,failed=14d; 0 keeps none')
    .option('--expires <time>', 'not started by then, it expires')
    .option('--header <k=v>', 'a text that travels with the job; may be given several times', append)
    .option('--wait [time]', 'wait for the end, 30s unless a time is given, and print the result')
    .option(
      '--tagged',
      'the input is in the form that `job --json` prints, with {"$":["date",…]} and the like',
    )
  addSettings(command, ['tasks'])
    .option('--no-tasks', 'check nothing, whatever the configuration says')
    .addHelpText(
      'after',
      examples(
        [
          `millrace enqueue add '{"x":15,"y":25}' --delay 5s`,
          'add two numbers in five seconds; prints the id',
        ],
        [
          'millrace enqueue image.thumbnail @cat.json --id thumb:cat --retry 5 --wait 1m --tasks ./tasks.ts',
          'input from a file, checked by the schema; print the result',
        ],
      ),
    )
    .action(run(work))
}

async function work(session: Session, command: Command): Promise<number> {
  const { output, open } = session
  const [name = '', json] = command.args
  const flags = command.opts<Flags>()
  // Everything is read before anything is sent.
  const options = optionsOf(flags)
  const input = await readInput(json, flags.tagged === true, session.signal)
  const { app, settings } = await open({ create: true })
  const definition = await taskOf(name, flags.tasks === false ? [] : settings.tasks)
  const handle = await app.enqueue((definition as Named).with(input) as never, options)
  const { id, status } = handle as Handle & { status: string }
  if (flags.wait === undefined) {
    if (status === 'duplicate') output.note(`${visible(id)} is known: nothing was changed.`)
    output.answer({ id, status, task: name }, () => visible(id))
    return EXIT.ok
  }
  output.note(`${visible(id)} ${status}`)
  return wait(session, handle as Handle, { id, status, task: name }, flags.wait)
}

function optionsOf(flags: Flags): EnqueueOptions {
  const { delay, at, priority, id, queue, expires, header } = flags
  return {
    ...(delay !== undefined && { delay }),
    ...(at !== undefined && { at: moment(at, '--at', '') }),
    ...(priority !== undefined && { priority: number(priority, '--priority', '') }),
    ...(id !== undefined && { id }),
    ...(queue !== undefined && { queue }),
    ...(flags.retry !== undefined && { retry: retry(flags.retry, '--retry', '') }),
    ...(flags.timeout !== undefined && { timeout: timeout(flags.timeout, '--timeout', '') }),
    ...(flags.keep !== undefined && { keep: keep(flags.keep, '--keep', '') }),
    ...(expires !== undefined && { expires }),
    ...(header && { headers: Object.fromEntries(header.map(pair)) }),
  }
}

function pair(header: string): [string, string] {
  const at = header.indexOf('=')
  if (at > 0) return [header.slice(0, at), header.slice(at + 1)]
  throw invalid('--header', 'name=value', header)
}
