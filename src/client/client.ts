import { randomBytes } from 'node:crypto'
import type { Call } from '../core/body.ts'
import { joinFailures } from '../core/failure.ts'
import { show } from '../core/show.ts'
import { isFields } from '../core/signature.ts'
import { UsageError } from '../errors.ts'
import type { Backend } from '../port/index.ts'
import type { ClientConfig } from './config.ts'
import { createProducer, type Producer } from './producer.ts'
import { readFailures, readValues } from './values.ts'
import { createWatcher, type Watcher } from './watcher.ts'

/** The parts that handles and workers of one app share. */
export interface Client {
  readonly backend: Backend
  readonly config: ClientConfig
  readonly watcher: Watcher
  readonly producer: Producer
  /** Ends of waits that are under way, for when the app is closed. */
  readonly waits: Set<() => void>
  /** A wait has lasted for a while: look whether it can end at all. */
  readonly onLongWait: (id: string) => void
}

export function createClient(
  backend: Backend,
  config: ClientConfig,
  onLongWait: Client['onLongWait'] = () => {},
): Client {
  const process = randomBytes(3).toString('base64url')
  return {
    backend,
    config,
    watcher: createWatcher(backend, process),
    producer: createProducer(backend, config, process),
    waits: new Set(),
    onLongWait,
  }
}

/** The input of a flow's step: what came before it, and the fields that were bound. */
export async function readInput(backend: Backend, call: Call): Promise<unknown> {
  const from = call.from!
  const before =
    call.reads === 'failure'
      ? joinFailures((await readFailures(backend.records, [from]))[0]!)
      : (await readValues(backend.records, [from]))[0]
  if (call.input === undefined) return before
  if (isFields(before)) return { ...before, ...(call.input as object) }
  const expected = 'some fields are bound, and the step before must give an object with the rest'
  const message = `input: ${expected}, got ${show(before)}. A step that has its whole input needs .detached().`
  throw new UsageError('INVALID_INPUT', message, { path: 'input' })
}
