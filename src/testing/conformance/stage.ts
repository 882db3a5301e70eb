import assert from 'node:assert/strict'
import type {
  Backend,
  FlowRecord,
  JobRecord,
  JoinRecord,
  Millis,
  Receipt,
  Submission,
} from '../../port/index.ts'
import { createWorker, type Worker, type WorkerOptions } from './worker.ts'

/** A fresh namespace, and what a test does with it. All that it opened is closed with it. */
export interface Stage extends AsyncDisposable {
  readonly backend: Backend
  readonly namespace: string
  /** How long a wait may last before the test fails. */
  readonly patience: Millis
  /** Another handle on the same jobs, as another process would have. */
  another(): Promise<Backend>
  /** A handle on other jobs. */
  elsewhere(): Promise<Backend>
  worker(options?: WorkerOptions, on?: Backend): Promise<Worker>
  /** Submit; all must be accepted. */
  submit(...submissions: readonly Submission[]): Promise<void>
  receipt(submission: Submission, on?: Backend): Promise<Receipt['status']>
  /** Move the clock on. */
  advance(by: Millis): Promise<void>
  /** Sweep until nothing moves; how much moved. */
  sweep(on?: Backend): Promise<number>
  /** The record of a job, which must exist. */
  job(id: string): Promise<JobRecord>
  /** The record of a flow, which must exist. */
  flow(id: string): Promise<FlowRecord>
  /** The record of a join, which must exist. */
  join(id: string): Promise<JoinRecord>
  /** A job's or flow's state, or `unknown`. */
  state(id: string): Promise<string>
  states(ids: readonly string[]): Promise<string[]>
  /** A slot's filler by index, `!` before it if it came badly. */
  slots(join: string): Promise<Record<number, string>>
}

/** What a sentence of the contract is shown on. */
export type Sentence = (stage: Stage) => Promise<void>
/** Sentences by title. */
export type Subject = Readonly<Record<string, Sentence>>

export type Open = (namespace: string) => Backend | Promise<Backend>

let stages = 0

export async function openStage(open: Open, patience: Millis, ordered = true): Promise<Stage> {
  const namespace = `seam-${process.pid}-${++stages}`
  const opened: AsyncDisposable[] = []
  let offset = 0
  let workers = 0

  async function handle(name: string): Promise<Backend> {
    const backend = await open(name)
    opened.push(backend)
    return backend
  }
  const backend = await handle(namespace)

  async function record(id: string) {
    const [found] = await backend.records.get([id])
    return found
  }
  const states = async (ids: readonly string[]) =>
    (await backend.records.get(ids)).map((found) => found?.state ?? 'unknown')

  return {
    backend,
    namespace,
    patience,
    another: () => handle(namespace),
    elsewhere: () => handle(`${namespace}-else`),
    async worker(options, on = backend) {
      const worker = await createWorker(
        on,
        options?.worker ?? `worker-${++workers}`,
        patience,
        ordered,
        options,
      )
      opened.push(worker)
      return worker
    },
    async submit(...submissions) {
      for (const { id, status } of await backend.submit(submissions)) {
        assert.equal(status, 'accepted', `Expected "${id}" to be accepted, got a ${status}.`)
      }
    },
    async receipt(submission, on = backend) {
      const [receipt] = await on.submit([submission])
      assert.ok(receipt, 'Expected one receipt for one submission, got none.')
      return receipt.status
    },
    async advance(by) {
      offset += by
      await backend.control.shiftClock(offset)
    },
    async sweep(on = backend) {
      let moved = 0
      for (let round = 0; round < 1000; round++) {
        const swept = await on.sweep(1000)
        if (swept.moved === 0) return moved
        moved += swept.moved
      }
      return assert.fail('Expected the sweep to come to an end, but it still moves after 1,000 rounds.')
    },
    async job(id) {
      const found = await record(id)
      assert.ok(found?.kind === 'job', `Expected the job "${id}", got ${found?.kind ?? 'no record'}.`)
      return found
    },
    async flow(id) {
      const found = await record(id)
      assert.ok(found?.kind === 'flow', `Expected the flow "${id}", got ${found?.kind ?? 'no record'}.`)
      return found
    },
    async join(id) {
      const [found] = await backend.records.joins([id])
      assert.ok(found, `Expected the join "${id}", got no record.`)
      return found
    },
    states,
    state: async (id) => (await states([id]))[0]!,
    async slots(join) {
      const arrivals = await backend.records.slots(join, 0, 1000)
      return Object.fromEntries(arrivals.map(({ index, ok, by }) => [index, ok ? by : `!${by}`]))
    },
    async [Symbol.asyncDispose]() {
      for (const it of opened.reverse()) await it[Symbol.asyncDispose]()
    },
  }
}
