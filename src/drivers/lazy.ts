import { BackendError } from '../errors.ts'
import type { Backend, Control, Records } from '../port/index.ts'

/**
 * A backend that is opened by its first call, so that connecting costs nothing and can't fail on the
 * network. A failed opening is tried again by the next call.
 */
export function lazy(open: () => Promise<Backend>): Backend {
  let opening: Promise<Backend> | undefined
  let opened: Backend | undefined
  let closed = false

  async function backend(): Promise<Backend> {
    if (closed) throw new BackendError('BACKEND_CLOSED', 'This app is closed. Connect again.')
    opening ??= open()
    try {
      opened = await opening
      return opened
    } catch (error) {
      opening = undefined
      throw error
    }
  }

  const records: Records = {
    get: async (ids) => (await backend()).records.get(ids),
    joins: async (ids) => (await backend()).records.joins(ids),
    slots: async (join, from, limit) => (await backend()).records.slots(join, from, limit),
    list: async (filter, limit, cursor) => (await backend()).records.list(filter, limit, cursor),
    counts: async () => (await backend()).records.counts(),
    workers: async () => (await backend()).records.workers(),
  }
  const control: Control = {
    cancel: async (ids) => (await backend()).control.cancel(ids),
    retry: async (ids) => (await backend()).control.retry(ids),
    shiftClock: async (offset) => (await backend()).control.shiftClock(offset),
  }
  return {
    submit: async (batch) => (opened && !closed ? opened : await backend()).submit(batch),
    consume: async (options) => (await backend()).consume(options),
    sweep: async (limit) => (await backend()).sweep(limit),
    get pulse() {
      return opened?.pulse
    },
    get parts() {
      return opened?.parts
    },
    async *events(filter, signal) {
      yield* (await backend()).events(filter, signal)
    },
    records,
    control,
    schedules: {
      get: async (names) => (await backend()).schedules.get(names),
      list: async (limit, after) => (await backend()).schedules.list(limit, after),
      change: async (changes) => (await backend()).schedules.change(changes),
    },
    diagnose: async () => (await backend()).diagnose(),
    async [Symbol.asyncDispose]() {
      closed = true
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
