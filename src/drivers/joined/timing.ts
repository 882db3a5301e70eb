import type { Millis } from '../../port/index.ts'

export interface Timing {
  /**
   * An idle worker looks into the store for itself after so long, for jobs whose tickets were lost or were
   * used up in vain; jittered down to half of it.
   */
  readonly look: Millis
  /** Entries that were read and not sent show again after so long. */
  readonly hold: Millis
  /** A worker that takes nothing for so long gives its tickets to others. */
  readonly rest: Millis
}

export const defaults: Timing = { look: 2_000, hold: 10_000, rest: 200 }
