import type { App } from '../../app.ts'
import { BackendError } from '../../errors.ts'
import type { Stage } from './stage.ts'

export interface Outage {
  /** A process that can be cut off from its backend, for as long as wished. */
  readonly app: App
  begin(): void
  end(): void
}

export async function cutOff(stage: Stage): Promise<Outage> {
  const error = new BackendError('BACKEND_UNAVAILABLE', 'cut off', { retryable: true })
  let cut = false
  const app = await stage.process({}, () => (cut ? { fail: error } : undefined))
  return {
    app,
    begin() {
      cut = true
    },
    end() {
      cut = false
    },
  }
}
