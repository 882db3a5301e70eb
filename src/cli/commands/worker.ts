import { addSettings, examples } from '../help.ts'
import { createLogger } from '../log.ts'
import type { Register } from '../register.ts'
import { WORKER_SETTINGS } from '../settings.ts'
import { servedTasks } from '../tasks.ts'

/** Serves the tasks that modules export, until SIGTERM or Ctrl-C. */
export const worker: Register = (program, run) => {
  const command = program
    .command('worker')
    .summary('serve tasks until stopped')
    .description(
      'Serve every task with a handler that the given modules export. TypeScript needs no build step.\n' +
        'SIGTERM or Ctrl-C: take no more jobs, let running ones end within --grace, hand back the rest, exit 0.\n' +
        'A second signal hands back at once.',
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
    .action(
      run(async ({ output, open }) => {
        const { app, settings } = await open()
        const { concurrency, grace, lease, blockedAfter, unknownTaskAfter, giveUpAfter, queues } = settings
        const served = app.worker({
          tasks: await servedTasks(settings.tasks, output.warn),
          ...(queues !== undefined && { queues }),
          concurrency,
          grace,
          lease,
          blockedAfter,
          unknownTaskAfter,
          giveUpAfter,
          logger: createLogger(output),
        })
        await served.run()
        return undefined
      }),
    )
}
