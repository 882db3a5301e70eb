import type { Settings } from '../core/settings.ts'
import type { Millis } from '../port/index.ts'

/** What a client is set up with. */
export interface ClientConfig {
  /** What neither call, signature nor task say. */
  readonly settings: Settings
  /** Bytes that one input or output may take. */
  readonly payloadLimit: number
  /** An enqueue that has no answer by then is rejected. */
  readonly enqueueTimeout: Millis
}
