import { type FlowHandle, type Handle, TaskFailedError, WaitError } from '../index.ts'
import { EXIT, exitCodeOf } from './exit.ts'
import type { Output } from './output.ts'
import type { Session } from './session.ts'
import { visible } from './text.ts'
import { lossless, show } from './values.ts'

/** `--wait add '{}'`: what follows is its time only when it looks like one. */
export const spellWait = (argv: readonly string[]): string[] =>
  argv.map((word, i) =>
    word === '--wait' && !/^(\d+(\.\d+)?[a-z]+)+$/.test(argv[i + 1] ?? '') ? '--wait=30s' : word,
  )

/** Until the end of what was handed over: its result, or why there is none. */
export async function wait(
  { output, signal }: Session,
  handle: Handle | FlowHandle,
  told: object,
  limit: string,
): Promise<number> {
  try {
    const result = await handle.result({ timeout: limit, signal })
    output.answer({ ...told, state: 'succeeded', result: lossless(result) }, () =>
      show(result, output.columns),
    )
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof TaskFailedError || error instanceof WaitError)) throw error
    return unfinished(output, handle, told, error, limit)
  }
}

/** The job failed, or the wait ended first; the id is told all the same. */
async function unfinished(
  output: Output,
  handle: Handle | FlowHandle,
  told: object,
  error: TaskFailedError | WaitError,
  limit: string,
): Promise<number> {
  const info = 'info' in handle ? await handle.info() : undefined
  const goesOn = `See: millrace ${'info' in handle ? 'job' : 'flow'} ${handle.id}${'info' in handle ? ' --watch' : ''}`
  const message =
    error.code === 'RESULT_TIMEOUT'
      ? `${handle.id} has not ended within ${limit}. It goes on. ${goesOn}`
      : error.code === 'ABORTED'
        ? `Interrupted. ${handle.id} goes on. ${goesOn}`
        : error.message
  const failure = info?.error ?? { code: error.code, name: error.name, message }
  const state = info?.state ?? (error instanceof TaskFailedError ? 'failed' : 'unknown')
  const data = { ...told, state, error: failure, ...(info && { attempts: info.attempt }) }
  if (output.json) output.answer(data, () => '')
  else output.fail(data, `${visible(message)} [${error.code}]`)
  return exitCodeOf(error)
}
