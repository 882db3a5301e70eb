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
    return /^y(es)?$/i.test((await lines.question(`${what} [y/N] `, { signal })).trim())
  } finally {
    lines.close()
  }
}
