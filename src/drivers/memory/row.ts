import type { Attempt, Body, EndCode, EpochMillis, Job, JobState } from '../../port/index.ts'

/** A job's record. */
export interface Row {
  job: Job
  /** Rises with every job that is admitted: the order of lists. */
  readonly serial: number
  state: JobState
  /** Its place in line: rises with every time that it becomes waiting. */
  place: number
  token: number
  failures: number
  crashes: number
  marked: boolean
  readonly created: EpochMillis
  /** When it was first due. */
  due: EpochMillis
  next: EpochMillis
  expires: EpochMillis
  started: EpochMillis | undefined
  ended: EpochMillis | undefined
  worker: string | undefined
  progress: Body | undefined
  result: Body | undefined
  code: EndCode | undefined
  attempts: Attempt[]
  forget: EpochMillis
}
