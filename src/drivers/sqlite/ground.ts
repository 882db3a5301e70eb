import type { Bells } from './bells.ts'
import type { Clock } from './clock.ts'
import type { Moment } from './moment.ts'
import type { Writer } from './writer.ts'

/** An open file, and what the verbs need to work on it. */
export interface Ground {
  readonly clock: Clock
  readonly writer: Writer<Moment>
  readonly bells: Bells
  /** The present moment, for reading. */
  look(): Moment
}
