import { createInterface } from 'node:readline/promises'
import { UsageError } from '../index.ts'
import type { Session } from './session.ts'

/**
 * Asks before something is destroyed; `--yes` has answered already.
 *
 * @param what - as a question: `Remove the schedule nightly?`
 * @throws UsageError INVALID_OPTION when there is no terminal to ask on
 */
export async function confirm(what: string, yes: boolean, { signal }: Session): Promise<boolean> {
  if (yes) return true
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new UsageError('INVALID_OPTION', `${what} There is no terminal to ask on: give --yes.`)
  }
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    // Ctrl-D is no answer, and would leave the question open for ever.
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const answer = await Promise.race([lines.question(`${what} [y/N] `, { signal }), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
