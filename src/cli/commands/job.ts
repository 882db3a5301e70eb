import { setTimeout as sleep } from 'node:timers/promises'
import type { App, JobInfo } from '../../index.ts'
import { WaitError } from '../../index.ts'
import { EXIT } from '../exit.ts'
import { examples } from '../help.ts'
import { describe, headline, step } from '../job-view.ts'
import type { Register } from '../register.ts'
import type { Session } from '../session.ts'
import { clock } from '../time.ts'
import { jobJson } from '../values.ts'

/** Shows all that is known of one job. */
export const job: Register = (program, run) => {
  program
    .command('job')
    .summary('show a job')
    .description(
      'Show all that is known of a job: its state, times, progress, input, result, and the attempts that failed.',
    )
    .argument('<id>', 'the id that enqueue printed')
    .option('--watch', 'tell each change until it has ended; then exit 0 if it succeeded, else 1')
    .addHelpText(
      'after',
      examples(
        ['millrace job thumb:cat', 'show it as it stands'],
        ['millrace job thumb:cat --watch --json', 'a line of JSON for each change, until it has ended'],
      ),
    )
    .action(
      run(async (session, command) => {
        const { app } = await session.open()
        const id = command.args[0]!
        if (command.opts<{ watch?: true }>().watch) return watch(app, id, session)
        const info = await find(app, id)
        session.output.answer(jobJson(info), () => describe(info, session.output))
      }),
    )
}

async function find(app: App, id: string): Promise<JobInfo> {
  const info = await app.job(id).info()
  if (info) return info
  const flow = (await app.flow(id).state()) !== 'unknown'
  throw new WaitError(
    'UNKNOWN_JOB',
    flow
      ? `${JSON.stringify(id)} is a flow, not a job. See: millrace flow ${id}`
      : `There is no job ${JSON.stringify(id)}: it was never accepted here, or its record is gone.`,
  )
}

const LOOK_EVERY = 500

/** Progress comes as it is reported; for all else it is looked at twice a second. */
async function watch(app: App, id: string, { output, signal }: Session): Promise<number> {
  let info = await find(app, id)
  let last = ''
  const tell = () => {
    const now = step(info)
    if (now === last) return
    if (last === '') output.note(headline(info))
    last = now
    output.event(jobJson(info), () => `${clock(new Date())}  ${now}`)
  }
  tell()
  const reports = app.job(id).progress[Symbol.asyncIterator]()
  let report: Promise<{ done?: boolean }> | undefined = reports.next()
  while (info.ended === undefined && !signal.aborted) {
    const pause = sleep(LOOK_EVERY, undefined, { signal }).catch(() => undefined)
    const woken: { done?: boolean } | undefined = await Promise.race([pause, ...(report ? [report] : [])])
    if (woken) report = woken.done ? undefined : reports.next()
    info = await find(app, id)
    tell()
  }
  if (signal.aborted) return EXIT.interrupted
  if (!output.json) output.answer(undefined, () => `\n${describe(info, output)}`)
  return info.state === 'succeeded' ? EXIT.ok : EXIT.failed
}
