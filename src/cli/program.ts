import { Command, CommanderError } from 'commander'
import { MillraceError, redact, UsageError, WaitError } from '../index.ts'
import { cancel } from './commands/cancel.ts'
import { config } from './commands/config.ts'
import { doctor } from './commands/doctor.ts'
import { enqueue } from './commands/enqueue.ts'
import { failures } from './commands/failures.ts'
import { flow } from './commands/flow.ts'
import { job } from './commands/job.ts'
import { jobs } from './commands/jobs.ts'
import { queues } from './commands/queues.ts'
import { retry } from './commands/retry.ts'
import { schedule } from './commands/schedule.ts'
import { schedules } from './commands/schedules.ts'
import { worker } from './commands/worker.ts'
import { workers } from './commands/workers.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from './exit.ts'
import { addSettings, examples } from './help.ts'
import { createOutput, type Output } from './output.ts'
import type { Register, Runner } from './register.ts'
import { createSession } from './session.ts'
import { visible, visibleLines } from './text.ts'
import { version } from './version.ts'
import { spellWait } from './wait.ts'

const commands: readonly Register[] = [
  worker,
  enqueue,
  job,
  flow,
  jobs,
  failures,
  queues,
  workers,
  cancel,
  retry,
  schedules,
  schedule,
  doctor,
  config,
]

const HELP = `
Options come from flags, then MILLRACE_* variables (MILLRACE_URL_FILE names a
file that holds the URL), then millrace.config.ts (or .mts, .js, .mjs, .json) in
the working directory, then the defaults. \`millrace config print\` shows what
holds, and why.

${EXIT_HELP}
${examples(
  ['millrace worker --tasks ./tasks.ts', 'serve what tasks.ts exports; jobs are kept in ./millrace.db'],
  [`millrace enqueue add '{"x":15,"y":25}' --wait`, 'have a job done, and print its result'],
  ['millrace jobs --state failed', 'see what failed'],
)}`

/** Run one command line; resolves with its exit code, once all is closed and written. */
export async function run(argv: readonly string[]): Promise<number> {
  // Even an error of parsing is told as it was asked for.
  const options = argv.slice(0, argv.indexOf('--') >>> 0)
  const output = createOutput({ json: options.includes('--json'), color: !options.includes('--no-color') })
  const code = await execute(spellWait(argv), output)
  await output.flush()
  if (!output.unread.aborted || isPipe(output.unread.reason)) return code
  output.writeError(`millrace: the answer can't be written: ${(output.unread.reason as Error).message}\n`)
  return EXIT.failed
}

async function execute(argv: readonly string[], output: Output): Promise<number> {
  let code: number = EXIT.ok
  let help = ''
  const interrupt = new AbortController()
  const runner: Runner =
    (work) =>
    async (...given) => {
      const command = given.at(-1) as Command
      const signal = AbortSignal.any([interrupt.signal, output.unread])
      const session = createSession(command, output, signal)
      // A worker stops by itself; the second Ctrl-C is the system's.
      const stop = () => interrupt.abort()
      if (command.name() !== 'worker') process.once('SIGINT', stop)
      try {
        code = (await work(session, command)) ?? EXIT.ok
      } finally {
        process.off('SIGINT', stop)
        await session.close()
      }
      if (interrupt.signal.aborted) code = EXIT.interrupted
    }
  const program = build(runner, output, (text) => {
    help += text
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok
      if (error.code === 'commander.help') output.writeError(help)
      else tell(toUsage(error), output)
      return EXIT.usage
    }
    if (output.unread.aborted) return EXIT.ok
    if (!interrupt.signal.aborted) {
      tell(error, output)
      return exitCodeOf(error)
    }
    tell(error instanceof WaitError ? error : new WaitError('ABORTED', 'Interrupted.'), output)
    return EXIT.interrupted
  }
}

/** A reader that has had enough, as in `millrace jobs | head -1`, is no fault. */
const isPipe = (reason: unknown): boolean => (reason as NodeJS.ErrnoException).code === 'EPIPE'

function build(runner: Runner, output: Output, writeError: (text: string) => void): Command {
  const program = new Command('millrace')
    .description('Run, feed and watch Millrace, a distributed task queue and job scheduler.')
    .usage('<command> [options]')
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.write(text), writeErr: writeError, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true, sortOptions: false })
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
  addSettings(program, ['url', 'results'])
    .option('--config <file>', 'configuration file (MILLRACE_CONFIG; default ./millrace.config.*)')
    .option('--json', 'answer in JSON: one document, or a line each where the answer goes on')
    .option('--no-color', 'no colours, as with NO_COLOR=1')
    .addHelpText('after', HELP)
  for (const register of commands) register(program, runner)
  return program
}

/** `error: unknown option '--quues'\n(Did you mean --queues?)` on one line. */
function toUsage({ code, message }: CommanderError): UsageError {
  const [first = '', suggestion = ''] = message.replace(/^error: /, '').split('\n')
  const more = suggestion.replace(/^\((.*)\)$/, ' $1')
  const known = code === 'commander.unknownOption' || code === 'commander.unknownCommand'
  const text = `${first.charAt(0).toUpperCase()}${first.slice(1)}.${more}`
  return new UsageError(known ? 'UNKNOWN_OPTION' : 'INVALID_OPTION', text.replace('..', '.'))
}

/** An error as one line with its code; the stack only for who debugs. */
function tell(error: unknown, output: Output): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const code = error instanceof MillraceError ? error.code : 'INTERNAL'
  const text = redact(message)
  const path = error instanceof UsageError && error.path !== '' ? { path: error.path } : {}
  const debug = process.env.MILLRACE_DEBUG ? { stack: redact(stackOf(error) ?? stack ?? '') } : undefined
  output.fail(
    { error: { code, name, message: text, ...path, ...debug } },
    `${visible(text)} [${code}]${debug ? `\n${visibleLines(debug.stack)}` : ''}`,
  )
}

function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const cause = stackOf(error.cause)
  return cause === undefined ? error.stack : `${error.stack}\ncaused by ${cause}`
}
