import { addSettings, examples } from '../help.ts'
import { createLogger } from '../log.ts'
import type { Register } from '../register.ts'
import type { Session } from '../session.ts'
import { WORKER_SETTINGS } from '../settings.ts'
import { unknownVariables } from '../sources.ts'
import { hint } from '../suggest.ts'
import { served as servedBy } from '../tasks.ts'

/** Serves the tasks that modules export, until SIGTERM or Ctrl-C. */
export const worker: Register = (program, run) => {
  const command = program
    .command('worker')
    .summary('serve tasks until stopped')
    .description(
      'Serve every task with a handler that the given modules export, and store every schedule that they export ' +
        '(what schedule() makes). TypeScript needs no build step. At SIGTERM ' +
        'or Ctrl-C it takes no more jobs, lets running ones end within --grace, hands back the rest and exits ' +
        'with 0; a second signal hands back at once.',
    )
  addSettings(command, WORKER_SETTINGS)
    .addHelpText(
      'after',
      examples(
        ['millrace worker --tasks ./tasks.ts', 'serve the queues that the tasks name, 10 jobs at once'],
        [
          'millrace worker --tasks ./mail.ts ./images.ts --queues mail=3,images=1 --concurrency 20',
          'two modules; "mail" gets three places of four while both have work',
        ],
      ),
    )
    .action(run(work))
}

async function work({ output, open }: Session): Promise<undefined> {
  // The worker heeds signals once it runs; until then, nothing is held that would have to be handed back.
  let stopped = false
  const stop = () => {
    stopped = true
  }
  for (const signal of SIGNALS) process.once(signal, stop)
  const { app, settings } = await open({ create: true })
  const { concurrency, grace, lease, blockedAfter, unknownTaskAfter, giveUpAfter, queues, removeSchedules } =
    settings
  const logger = createLogger(output)
  const strays = unknownVariables(process.env)
  if (strays.length > 0) {
    const variables = strays.map(({ name, known }) => `${name}: ${hint(name, known)}`)
    logger.warn({ variables }, 'nothing reads these variables')
  }
  const served = app.worker({
    ...(await servedBy(settings.tasks, logger)),
    removeSchedules,
    ...(queues !== undefined && { queues }),
    concurrency,
    grace,
    lease,
    blockedAfter,
    unknownTaskAfter,
    giveUpAfter,
    logger,
  })
  for (const signal of SIGNALS) process.off(signal, stop)
  if (!stopped) await served.run()
  return undefined
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
