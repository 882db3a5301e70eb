import type { Attempt, EndCode, EpochMillis, Job, JobEvent, JobRecord, JobState } from '../../port/index.ts'
import { jobOf, unpack } from './text.ts'

/** States as a record's first letter. */
export const LETTERS: Readonly<Record<JobState, string>> = {
  scheduled: 'S',
  waiting: 'W',
  active: 'A',
  retrying: 'R',
  succeeded: 'K',
  failed: 'F',
  cancelled: 'C',
  expired: 'X',
}
export const STATES = Object.fromEntries(
  Object.entries(LETTERS).map(([state, letter]) => [letter, state as JobState]),
) as Readonly<Record<string, JobState>>

/** A record's first line, and the job itself. */
export interface Stored {
  readonly job: Job
  readonly letter: string
  readonly mark: string
  readonly created: EpochMillis
  readonly due: EpochMillis
  readonly failures: number
  readonly crashes: number
  readonly token: number
  readonly started: EpochMillis | undefined
  readonly worker: string | undefined
  readonly ended: EpochMillis | undefined
  readonly code: string
  readonly result: string | undefined
}

/**
 * Read a record: `<state><mark><priority><kind><created>` and, divided by tabs, due, serial, failures, crashes,
 * token, then once started: start and worker, then once ended: end and code. Times but the first are
 * relative to it. The job's lines follow, and the result.
 */
export const readRecord = (id: string, text: string): Stored => recordOfLines(id, text.split('\n'))

function recordOfLines(id: string, lines: readonly string[]): Stored {
  const head = lines[0]!
  const [first, due, , failures, crashes, token, started = '', worker = '', ended = '', code = ''] =
    head.split('\t') as [string, string, string, string, string, string, ...string[]]
  const created = Number(first.slice(4))
  const since = (time: string) => (time === '' ? undefined : created + Number(time))
  return {
    job: jobOf(id, Number(head[2]), lines.slice(1, 6)),
    letter: head[0]!,
    mark: head[1]!,
    created,
    due: since(due) ?? created,
    failures: Number(failures),
    crashes: Number(crashes),
    token: Number(token),
    started: since(started),
    worker: worker === '' ? undefined : worker,
    ended: since(ended),
    code,
    result: lines[6] === undefined ? undefined : unpack(lines[6]),
  }
}

/** What the `read` script answers of a job, beside its record. */
export interface Beside {
  /** The state as it is, which is ahead of the sweep: below a mark, or past its time, a job won't start; due, it waits. */
  readonly shown: string
  readonly cancelling: boolean
  readonly next: string | null
  readonly progress: string | null
  readonly attempts: readonly string[]
}

const endsAs: Partial<Record<JobState, EndCode>> = { expired: 'EXPIRED', cancelled: 'CANCELLED' }

export function jobRecord(stored: Stored, beside: Beside): JobRecord {
  const { job, created, due, failures, crashes, started, worker, ended, result } = stored
  const state = STATES[beside.shown]!
  const code = beside.shown === stored.letter ? stored.code : (endsAs[state] ?? '')
  return {
    kind: 'job',
    job,
    state,
    cancelling: beside.cancelling,
    attempt: 1 + failures,
    crashes,
    created,
    due,
    ...((state === 'scheduled' || state === 'retrying') &&
      beside.next !== null && { next: Number(beside.next) }),
    ...(started !== undefined && { started }),
    ...(ended !== undefined && { ended }),
    ...(worker !== undefined && { worker }),
    ...(beside.progress !== null && { progress: beside.progress }),
    ...(result !== undefined && { result }),
    ...(code !== '' && { code: code as EndCode }),
    attempts: beside.attempts.map(attemptOf),
  }
}

/** Lines of an ended job's record. */
const ENDED_LINES = 7

/** What the hint of ends says: see `tell` in lua/prelude.ts. */
export function readEnds(message: string): JobEvent[] {
  const lines = message.split('\n')
  const events: JobEvent[] = []
  for (let at = 0; at < lines.length; at += 2) {
    const id = lines[at]!
    const by = lines[at + 1]!
    if (by === '') {
      events.push({ id })
      continue
    }
    const record = lines.slice(at + 2, at + 2 + ENDED_LINES)
    events.push({
      id,
      // Few are waited for.
      get ended() {
        return endOf(by, record)
      },
    })
    at += ENDED_LINES
  }
  return events
}

/** What was retried or lost before has a history, which is not told. */
function endOf(id: string, lines: readonly string[]): JobRecord | undefined {
  const stored = recordOfLines(id, lines)
  if (stored.token !== 1) return undefined
  return jobRecord(stored, {
    shown: stored.letter,
    cancelling: false,
    next: null,
    progress: null,
    attempts: [],
  })
}

/** An entry of the history: start, end, worker, code, error. */
function attemptOf(text: string): Attempt {
  const [start, end, worker, code, ...error] = text.split('\t') as [
    string,
    string,
    string,
    string,
    ...string[],
  ]
  return {
    start: Number(start),
    end: Number(end),
    worker,
    ...(code !== '' && { code: code as EndCode }),
    ...(error.join('\t') !== '' && { error: error.join('\t') }),
  }
}
