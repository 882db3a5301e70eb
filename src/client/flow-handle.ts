import { unpackValue } from '../core/body.ts'
import { millis } from '../core/duration.ts'
import type { Failure } from '../core/failure.ts'
import { checkOptions } from '../core/options.ts'
import { unpackOutline } from '../core/outline.ts'
import { rerun } from '../core/rerun.ts'
import { type FlowNode, idsOf, stepsOf, treeOf } from '../core/tree.ts'
import { UsageError, WaitError } from '../errors.ts'
import { type FlowRecord, isFinal, type JobRecord, type Join, PAGE_LIMIT, type State } from '../port/index.ts'
import type { Client } from './client.ts'
import {
  BaseHandle,
  type Handle,
  type HandleParts,
  WAIT_OPTIONS,
  type WaitOptions,
  waitFor,
} from './handle.ts'
import { type JobInfo, toInfo } from './info.ts'
import { newId } from './new-id.ts'
import { failureOf, readFailures } from './values.ts'
import type { AnyRecord } from './watcher.ts'

/**
 * A flow, wherever its steps run.
 *
 * @example
 * const flow = await app.enqueue(chain(map(thumbnail, photos), album))
 * for (const { id, task, state } of await flow.steps()) console.log(id, task, state)
 */
export interface FlowHandle<O = unknown> extends Omit<Handle<O>, 'info' | 'retry' | 'progress'> {
  /**
   * Wait until every step has ended, also those that go on after the flow is decided; then tell what became
   * of each, in the order of declaration.
   *
   * @throws WaitError RESULT_TIMEOUT, NOT_KEPT, UNKNOWN_JOB, ABORTED
   */
  settled(options?: WaitOptions): Promise<StepOutcome[]>
  /** Every step with its state, also those that were not reached, in the order of declaration. */
  steps(): Promise<FlowStep[]>
  /** The same as the tree of chains, groups and steps that was enqueued; `undefined` when there is no record. */
  tree(): Promise<FlowTree | undefined>
  /**
   * Run it again under a new id, taking over the steps that succeeded.
   *
   * @throws UsageError NOT_RETRYABLE when it has not ended or has succeeded
   * @throws WaitError UNKNOWN_JOB
   */
  retry(): Promise<FlowHandle<O>>
}

/** A step of a flow. */
export interface FlowStep {
  readonly id: string
  readonly task: string
  readonly state: State
  /** Why a `skipped` step can't run any more: the id of the job that failed. */
  readonly cause?: string
  /** All that is known of its job; absent while it has not been reached. */
  readonly job?: JobInfo
}

/** What became of a step. */
export interface StepOutcome {
  readonly id: string
  readonly task: string
  readonly state: State
  /** The output of a step that succeeded. */
  readonly value?: unknown
  readonly error?: Failure
  readonly cause?: string
}

/** A part of a flow as a tree. */
export interface FlowTree {
  readonly kind: FlowNode['kind']
  readonly id: string
  readonly task?: string
  readonly state: State
  readonly cause?: string
  readonly job?: JobInfo
  /** Of the whole: the flow that it is a new run of. */
  readonly retryOf?: string
  readonly children: readonly FlowTree[]
  readonly handlers: readonly FlowTree[]
}

/** The handle of a flow, over a client's reads and commands. */
export class FlowHandleOf<O> extends BaseHandle<O> implements FlowHandle<O> {
  readonly #client: Client
  readonly #parts: HandleParts

  constructor(client: Client, parts: HandleParts) {
    super(client, parts)
    this.#client = client
    this.#parts = parts
  }

  async settled(options: WaitOptions = {}): Promise<StepOutcome[]> {
    const client = this.#client
    const ended = ({ state }: { state: State }) => isFinal(state)
    checkOptions(options, WAIT_OPTIONS, 'settled')
    const until = performance.now() + millis(options.timeout ?? '30s', 'timeout')
    const rest = () => ({ ...options, timeout: Math.max(0, until - performance.now()) })
    // While it is not decided, some step has not ended.
    let record = await waitFor(client, this.#parts, options, ended)
    for (;;) {
      const tree = await treeFor(client, record)
      if (!tree) throw new WaitError('NOT_KEPT', `${this.id} has ended, and its record was not kept.`)
      const nodes = [...stepsOf(tree)]
      if (nodes.every(ended)) return nodes.map(toOutcome)
      // Decided early: some go on, and others may follow them. The last declared is likely to be the last to end.
      let open = nodes.flatMap(({ id, record }) => (record && !isFinal(record.state) ? [id] : []))
      while (open.length > 0) {
        await waitFor(client, { id: open.at(-1)!, own: false, status: 'accepted' }, rest(), ended)
        const jobs = await paged(open, async (page) => client.backend.records.get(page))
        open = [...jobs].flatMap(([id, { state }]) => (isFinal(state) ? [] : [id]))
      }
      record = await waitFor(client, this.#parts, rest(), ended)
    }
  }

  async steps(): Promise<FlowStep[]> {
    const tree = await this.#read()
    return tree ? [...stepsOf(tree)].map(toStep) : []
  }

  async tree(): Promise<FlowTree | undefined> {
    const tree = await this.#read()
    return tree && toTree(tree)
  }

  async #read(): Promise<FlowNode | undefined> {
    const record = await this.#client.watcher.get(this.id)
    return record && treeFor(this.#client, record)
  }

  async retry(): Promise<FlowHandle<O>> {
    const { id } = this
    const unknown = () => new WaitError('UNKNOWN_JOB', `There is no flow ${JSON.stringify(id)}.`)
    const flow = await find(this.#client, id)
    if (!flow) throw unknown()
    if (!isFinal(flow.state) || flow.state === 'succeeded') {
      const why = flow.state === 'succeeded' ? 'it has succeeded' : 'it has not ended yet'
      throw new UsageError('NOT_RETRYABLE', `${id} can't be retried: ${why}.`)
    }
    const { tree, joins, jobs } = await read(this.#client, flow)
    // Without all of its jobs the new flow would wait for one that nobody queues.
    if (!tree) throw unknown()
    const { producer } = this.#client
    const receipt = await producer.submit(rerun(id, newId(), joins, jobs, producer.notify))
    return new FlowHandleOf<O>(this.#client, { id: receipt.id, own: true })
  }
}

/** A job is a flow of one step to whoever asks for it as such. */
async function treeFor(client: Client, record: AnyRecord): Promise<FlowNode | undefined> {
  if (record.kind === 'flow') return (await read(client, record)).tree
  const { job, state } = record
  return { kind: 'step', id: job.id, task: job.task, state, children: [], handlers: [], record }
}

async function find(client: Client, id: string): Promise<FlowRecord | undefined> {
  const record = await client.watcher.get(id)
  return record?.kind === 'flow' ? record : undefined
}

/** All of a flow, in pages of a thousand records. */
async function read(
  { backend: { records } }: Client,
  flow: FlowRecord,
): Promise<{ tree: FlowNode | undefined; joins: Join[]; jobs: JobRecord[] }> {
  const { shape, retryOf } = unpackOutline(flow.outline)
  const ids = idsOf(flow.id, shape)
  // Joins first: of what a decided join has queued, the jobs are there then. The other way round a step or a
  // handler that was queued in between would look as if it never could be.
  const joins = await paged(ids.joins, async (page) => records.joins(page))
  const jobs = await paged(ids.jobs, async (page) => records.get(page))
  const failed = ids.edges.filter((edge) => joins.get(edge)?.state === 'failed')
  const culprits = new Map<string, string>()
  for (const [i, [first]] of (await readFailures(records, failed)).entries()) {
    if (first) culprits.set(failed[i]!, first.id)
  }
  const tree = treeOf(flow.id, shape, {
    job: (id) => jobs.get(id) as JobRecord | undefined,
    join: (id) => joins.get(id),
    culprit: (edge) => culprits.get(edge),
  })
  return {
    tree: tree && (retryOf === undefined ? tree : { ...tree, retryOf }),
    joins: [...joins.values()].map(({ join }) => join),
    jobs: [...jobs.values()] as JobRecord[],
  }
}

async function paged<T>(
  ids: readonly string[],
  get: (page: readonly string[]) => Promise<readonly (T | undefined)[]>,
): Promise<Map<string, T>> {
  const found = new Map<string, T>()
  for (let at = 0; at < ids.length; at += PAGE_LIMIT) {
    const page = ids.slice(at, at + PAGE_LIMIT)
    for (const [i, record] of (await get(page)).entries()) {
      if (record !== undefined) found.set(page[i]!, record)
    }
  }
  return found
}

const toStep = ({ id, task, state, cause, record }: FlowNode): FlowStep => ({
  id,
  task: task!,
  state,
  ...(cause !== undefined && { cause }),
  ...(record && { job: toInfo(record) }),
})

const toTree = (node: FlowNode): FlowTree => ({
  kind: node.kind,
  id: node.id,
  ...(node.task !== undefined && { task: node.task }),
  state: node.state,
  ...(node.cause !== undefined && { cause: node.cause }),
  ...(node.record && { job: toInfo(node.record) }),
  ...(node.retryOf !== undefined && { retryOf: node.retryOf }),
  children: node.children.map(toTree),
  handlers: node.handlers.map(toTree),
})

function toOutcome({ id, task, state, cause, record }: FlowNode): StepOutcome {
  const error = record && failureOf(record)
  return {
    id,
    task: task!,
    state,
    ...(state === 'succeeded' && { value: unpackValue(record!.result!) }),
    ...(error && { error }),
    ...(cause !== undefined && { cause }),
  }
}
