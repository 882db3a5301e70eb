import type { FlowStep, JobInfo } from 'millrace'

/** What a process wrote into its journal, and told its parent. */
export interface Entry {
  readonly did:
    | 'up'
    | 'try'
    | 'accepted'
    | 'ask'
    | 'take'
    | 'run'
    | 'abort'
    | 'finish'
    | 'answer'
    | 'fault'
    | 'log'
    | 'signal'
    | 'block'
    | 'held'
    | 'blow'
  /** The process. */
  readonly by: string
  /** Milliseconds by the machine's monotonic clock. */
  readonly at: number
  /** Of the job; empty where it is about none. */
  readonly id: string
  readonly attempt?: number
  /** Of the delivery. */
  readonly token?: number
  /** This one execution of a handler; a result carries that of the run that made it. */
  readonly run?: string
  /** How the delivery ended: a final state, `again` or `back`. */
  readonly end?: string
  readonly answer?: 'applied' | 'stale'
  readonly level?: string
  readonly message?: string
}

export type Note = (...entries: Omit<Entry, 'by' | 'at'>[]) => void

/** What a job is told to do. */
export interface Work {
  readonly n: number
  readonly ms: number
  /** Attempts that fail before one succeeds. */
  readonly fails: number
  /** Whether a run may ask to come later. */
  readonly later: boolean
}

/** One call to `enqueue`. */
export type Plan =
  | {
      readonly kind: 'job'
      readonly id: string
      readonly work: Work
      readonly delay: number
      readonly priority: number
    }
  | { readonly kind: 'chord'; readonly id: string; readonly members: readonly Work[]; readonly delay: number }

/** A final transition that the backend itself has recorded. */
export interface Ended {
  readonly id: string
  /** It had ended before. */
  readonly again: boolean
}

/** All that is known at the end of a storm. */
export interface Evidence {
  readonly plans: readonly Plan[]
  readonly journal: readonly Entry[]
  readonly jobs: ReadonlyMap<string, JobInfo | undefined>
  readonly flows: ReadonlyMap<string, { readonly state: string; readonly steps: readonly FlowStep[] }>
  /** The backend's own count of ends, where it can be made to keep one. */
  readonly ends?: readonly Ended[]
}

export interface Verdict {
  /** Jobs that a producer was told are accepted, members and bodies of chords included. */
  readonly accepted: number
  readonly chords: number
  readonly finishedOnce: number
  /** Bodies that were not reached because a member failed. */
  readonly skipped: number
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  readonly stuck: readonly string[]
  /** Ended otherwise than planned, with what was expected. */
  readonly wrong: readonly string[]
  /** Run before they were due. */
  readonly early: readonly string[]
  readonly runs: number
  /** Finishes that came too late and were refused. */
  readonly refused: number
  /** Jobs that failed because three workers were lost under them. */
  readonly workerLost: number
}

/** A place to keep jobs for one storm. */
export interface Place {
  readonly url: string
  /** Let the backend itself count ends from now on; read them at the end. */
  readonly witness?: { start(): void; read(): Ended[] }
  /** Keep all others from writing, until the function returned is called. */
  readonly lock?: () => () => void
  /** Kill the server and start it again. */
  readonly restart?: () => Promise<void>
  remove(): Promise<void>
}

export interface Settings {
  readonly backend: string
  readonly url: string | undefined
  readonly jobs: number
  readonly workers: number
  readonly seconds: number
  readonly seed: number
  readonly lease: number
  readonly json: string | undefined
  readonly keep: boolean
}
