import { unpackValue } from '../core/body.ts'
import { onlyStep } from '../core/outline.ts'
import { BackendError } from '../errors.ts'
import { isFinal } from '../port/index.ts'
import type { Client } from './client.ts'
import type { ProgressInfo } from './info.ts'
import type { AnyRecord } from './watcher.ts'

/**
 * A job's progress reports as they come, the latest first, until it has ended. Leaving the loop, or the
 * iterator's `return()` while it waits, ends the watch.
 */
export function followProgress(client: Client, id: string): AsyncIterator<ProgressInfo> {
  let latest: string | undefined
  let told: string | undefined
  let over = false
  let trouble: unknown
  let wake = () => {}

  let stop = watch(id)
  client.waits.add(end)

  // Progress is told to who asks for the id, not to the process that submitted it.
  function watch(id: string): () => void {
    return client.watcher.watch({ id, own: false, see, fail })
  }

  function see(record: AnyRecord | undefined): void {
    const step = record?.kind === 'flow' && onlyStep(record.id, record.outline)
    if (step) {
      stop()
      stop = watch(step)
      return
    }
    if (record?.kind === 'job' && record.progress !== undefined) latest = record.progress
    if (!record || isFinal(record.state)) end()
    wake()
  }

  function fail(error: unknown): void {
    // What passes by itself is waited for.
    if (error instanceof BackendError && error.retryable) return
    trouble = error
    end()
  }

  function end(): void {
    over = true
    client.waits.delete(end)
    stop()
    wake()
  }

  return {
    async next() {
      // Neither a subscription nor a promise keeps the process alive.
      const alive = latest === told && !over ? setInterval(() => {}, 2 ** 30) : undefined
      while (latest === told && !over) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      clearInterval(alive)
      if (latest !== told) {
        told = latest
        return { done: false, value: unpackValue(told!) as ProgressInfo }
      }
      if (trouble) throw trouble
      return { done: true, value: undefined }
    },
    async return() {
      told = latest
      end()
      return { done: true, value: undefined }
    },
  }
}
