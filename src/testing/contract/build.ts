import { task } from '../../core/task.ts'
import type { Millis } from '../../port/index.ts'
import { within } from '../conformance/worker.ts'

/** The tasks that most sentences of the contract are shown with. */
export const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
export const multiply = task('multiply', (factors: readonly number[]) => factors.reduce((a, b) => a * b, 1))
export const inc = task('inc', (n: number) => n + 1)
export const sum = task('sum', (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0))
export const echo = task('echo', (value: unknown) => value)
/** Fails for good at once. */
export const fail = task('fail', { retry: 1 }, (message: unknown): never => {
  throw new Error(String(message))
})

export const tasks = [add, multiply, inc, sum, echo, fail]

/**
 * A door that handlers come to: a test waits until they are there, and lets them through. So it knows that
 * a handler runs, without sleeping.
 */
export interface Door {
  /** For the handler: come to the door, and wait until it is opened, or for the abort. */
  through(signal?: AbortSignal): Promise<void>
  /** For the test: wait until so many have come, in all. */
  reached(count?: number, patience?: Millis): Promise<void>
  /** Let through who has come, and who will come. */
  open(): void
  /** How many have come. */
  readonly count: number
}

export function door(): Door {
  const { promise: opened, resolve: open } = deferred()
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  let count = 0
  return {
    async through(signal) {
      count++
      for (const each of waiting) if (each.count <= count) each.resolve()
      if (!signal) return opened
      const { promise: aborted, resolve } = deferred()
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (signal.aborted) resolve()
      await Promise.race([opened, aborted])
      signal.throwIfAborted()
    },
    async reached(wanted = 1, patience = 10_000) {
      if (count >= wanted) return
      const { promise, resolve } = deferred()
      waiting.push({ count: wanted, resolve })
      await within(promise, patience, `${wanted} handlers to run at once`)
    },
    open,
    get count() {
      return count
    },
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** What a promise rejects with; an error when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`Expected a rejection, got ${JSON.stringify(value)}.`)
}

/** The states of a flow's steps by their place in it, such as `1.0` for the first member of the second part. */
export async function placesOf(flow: {
  readonly id: string
  steps(): Promise<readonly { readonly id: string; readonly state: string }[]>
}): Promise<Record<string, string>> {
  const steps = await flow.steps()
  return Object.fromEntries(steps.map(({ id, state }) => [id.slice(flow.id.length + 1), state]))
}
