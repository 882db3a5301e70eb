import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import { deserialise, UsageError } from '../index.ts'

/**
 * The input of a job as it was typed: JSON, `@file`, or `-` for standard input.
 *
 * @param tagged - it may hold what JSON lacks, in the form that `--json` prints
 * @throws UsageError INVALID_INPUT
 */
export async function readInput(
  given: string | undefined,
  tagged: boolean,
  signal: AbortSignal,
): Promise<unknown> {
  return given === undefined ? undefined : parse(await textOf(given, signal), tagged)
}

async function textOf(given: string, signal: AbortSignal): Promise<string> {
  if (given === '-') return readStream(addAbortSignal(signal, process.stdin))
  if (!given.startsWith('@')) return given
  try {
    return await readFile(given.slice(1), 'utf8')
  } catch (cause) {
    throw new UsageError('INVALID_INPUT', `Can't read the input: ${(cause as Error).message}`, { cause })
  }
}

const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function parse(text: string, tagged: boolean): unknown {
  try {
    const value = JSON.parse(text)
    refuseInexact(text)
    // The tags are found in the text as JSON.stringify writes it.
    return tagged ? deserialise(JSON.stringify(value)) : value
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    const reason = (cause as Error).message
    throw new UsageError(
      'INVALID_INPUT',
      `Expected the input to be JSON, in single quotes for the shell, such as '{"x":1}': ${reason}`,
      { cause },
    )
  }
}

/** JSON's whole numbers may be longer than JavaScript's; it would round them without a word. */
function refuseInexact(text: string): void {
  for (const [token] of text.matchAll(STRINGS_AND_NUMBERS)) {
    if (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) continue
    throw new UsageError(
      'INVALID_INPUT',
      `${token} is too large to be an exact number. Send it as a string, or with --tagged as {"$":["bigint","${token}"]}.`,
    )
  }
}
