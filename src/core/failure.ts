import { type FailureCode, TaskFailedError, UsageError } from '../errors.ts'
import type { Body, EndCode } from '../port/index.ts'

/** Why a job, or one attempt at it, did not succeed: what is stored, and what `result()` tells. */
export interface Failure {
  readonly code: FailureCode
  /** The `name` of what was thrown. */
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** The `code` of what was thrown, if it had one. */
  readonly errorCode?: string
  /** Messages of the `cause` chain, outermost first. */
  readonly causes?: readonly string[]
  /** In a flow: each job that did not succeed, in the order of declaration. */
  readonly failures?: readonly StepFailure[]
}

/** A job of a flow that did not succeed. */
export interface StepFailure extends Failure {
  readonly id: string
  /** Its place in the flow: `[1, 0]` is the first member, or step, of the second. */
  readonly path: readonly number[]
  readonly task: string
  /** Attempts made. */
  readonly attempts: number
}

/** The failures of a flow, or of a part of it, as one: of a single one the code and words are kept. */
export function joinFailures(failures: readonly StepFailure[]): Failure {
  const [first] = failures
  if (!first) return { code: 'CANCELLED', name: 'Error', message: 'cancelled', failures }
  if (failures.length === 1) {
    const { id: _, path: __, task: ___, attempts: ____, ...failure } = first
    return { ...failure, failures }
  }
  const shown = failures.slice(0, 3).map(({ id, task, message }) => `${task} (${id}): ${message}`)
  const more = failures.length > 3 ? `; and ${failures.length - 3} more` : ''
  const message = `${failures.length} steps failed: ${shown.join('; ')}${more}`
  return { code: 'FLOW_FAILED', name: 'Error', message, failures }
}

const LONGEST_MESSAGE = 8_192
const LONGEST_STACK = 16_384

/** Describe whatever a handler threw: an error, null, a string, an object with throwing getters. Never throws. */
export function describeFailure(thrown: unknown, code: FailureCode = 'TASK_FAILED'): Failure {
  try {
    if (!(thrown instanceof Error)) return { code, name: 'Error', message: `threw ${plain(thrown)}` }
    const own = (thrown as { code?: unknown }).code
    const causes = causesOf(thrown)
    return {
      code,
      name: cut(String(thrown.name), 200),
      message: cut(String(thrown.message), LONGEST_MESSAGE),
      ...(typeof thrown.stack === 'string' && { stack: cut(thrown.stack, LONGEST_STACK) }),
      ...((typeof own === 'string' || typeof own === 'number') && { errorCode: cut(String(own), 200) }),
      ...(causes.length > 0 && { causes }),
    }
  } catch {
    return { code, name: 'Error', message: 'threw a value that can not be described' }
  }
}

/** The failure that a fault of validation or serialisation stands for. */
export function describeFault(fault: unknown, otherwise: FailureCode): Failure {
  if (fault instanceof UsageError) {
    const known = ['UNSERIALISABLE', 'PAYLOAD_TOO_LARGE'].includes(fault.code)
    return describeFailure(fault, known ? (fault.code as FailureCode) : otherwise)
  }
  return describeFailure(fault, otherwise)
}

const VERSION = '1'

export const packFailure = (failure: Failure): Body => VERSION + JSON.stringify(failure)

/** The failure in a body; one that can't be read is told as such, since a reader must not fail on it. */
export function unpackFailure(body: Body): Failure {
  try {
    if (body.startsWith(VERSION)) return JSON.parse(body.slice(1)) as Failure
  } catch {}
  return { code: 'UNKNOWN_FORMAT', name: 'Error', message: 'the stored error is in an unknown format' }
}

const MESSAGES: Readonly<Record<EndCode, string>> = {
  EXPIRED: 'not started before it expired',
  WORKER_LOST: 'its worker was lost: the process crashed, was killed or hung',
  CANCELLED: 'cancelled',
}

/** The failure that a driver's own code stands for. */
export const failureOfCode = (code: EndCode): Failure => ({ code, name: 'Error', message: MESSAGES[code] })

/** What `result()` rejects with. */
export function toError(
  failure: Failure,
  job: { id: string; task: string; attempts: number },
): TaskFailedError {
  return new TaskFailedError(failure.code, `${job.task} (${job.id}): ${failure.message}`, {
    ...job,
    errorName: failure.name,
    ...(failure.errorCode !== undefined && { errorCode: failure.errorCode }),
    ...(failure.stack !== undefined && { stack: failure.stack }),
    ...(failure.failures && { failures: failure.failures }),
    ...(failure.causes && { cause: chainOf(failure.causes) }),
  })
}

function causesOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause = error.cause; cause !== undefined && causes.length < 5; ) {
    causes.push(cut(cause instanceof Error ? `${cause.name}: ${cause.message}` : plain(cause), 1024))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes
}

function chainOf(causes: readonly string[]): Error | undefined {
  return causes.reduceRight<Error | undefined>(
    (cause, message) => new Error(message, cause && { cause }),
    undefined,
  )
}

function plain(value: unknown): string {
  if (typeof value === 'string') return cut(JSON.stringify(value), LONGEST_MESSAGE)
  if (typeof value !== 'object' || value === null) return String(value)
  return cut(JSON.stringify(value) ?? 'an object', LONGEST_MESSAGE)
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text)
