import type { JobRecord, JoinRecord, State } from '../port/index.ts'
import { below, edgeId, groupId, handlersId, onErrorId, onSuccessId, stepId } from './ids.ts'
import type { Outline, OutlineNode } from './outline.ts'

/** A part of a flow with what has become of it. */
export interface FlowNode {
  readonly kind: 'step' | 'chain' | 'group' | 'onError' | 'onSuccess'
  /** The job's id; of a chain or group, its place in the flow. */
  readonly id: string
  /** The task of a step or handler. */
  readonly task?: string
  readonly state: State
  /** What made a `skipped` step impossible: the id of the job that failed. */
  readonly cause?: string
  /** The steps of a chain, the members of a group. */
  readonly children: readonly FlowNode[]
  readonly handlers: readonly FlowNode[]
  /** The job's record; absent while it has not been reached. */
  readonly record?: JobRecord
  /** Of the whole: the flow that it is a new run of. */
  readonly retryOf?: string
}

/** What reading a flow has found. */
export interface Found {
  job(id: string): JobRecord | undefined
  join(id: string): JoinRecord | undefined
  /** Who filled the one slot of a join badly. */
  culprit(join: string): string | undefined
}

/** Ids of all jobs and joins that a flow can have. */
export function idsOf(root: string, outline: Outline): { jobs: string[]; joins: string[]; edges: string[] } {
  const jobs: string[] = []
  const joins: string[] = [root]
  const edges: string[] = []
  const visit = (part: Outline, path: string): void => {
    if (typeof part === 'string') {
      jobs.push(stepId(root, path))
      return
    }
    if (part.step !== undefined) jobs.push(stepId(root, path))
    if (part.onError !== undefined || part.onSuccess !== undefined) joins.push(handlersId(root, path))
    if (part.onError !== undefined) jobs.push(onErrorId(root, path))
    if (part.onSuccess !== undefined) jobs.push(onSuccessId(root, path))
    if (part.group) joins.push(groupId(root, path))
    part.group?.forEach((member, i) => {
      visit(member, below(path, i))
    })
    part.chain?.forEach((step, i) => {
      if (i > 0) edges.push(edgeId(root, below(path, i - 1)))
      visit(step, below(path, i))
    })
  }
  visit(outline, '')
  joins.push(...edges)
  return { jobs, joins, edges }
}

/** Whether a part has been reached, and if not, why it may never be. */
type Reach = { readonly state: 'reached' | 'pending' | 'skipped' | 'cancelled'; readonly cause?: string }

const reached: Reach = { state: 'reached' }

/**
 * Put together what became of each part. A step without a job is pending, skipped or cancelled. One that has
 * been reached has a job, unless its flow is just being forgotten, a page after the other: then there is
 * nothing to tell any more.
 */
export function treeOf(root: string, outline: Outline, found: Found): FlowNode | undefined {
  let forgotten = false
  const tree = visit(outline, '', reached)
  if (forgotten) return undefined
  const decided = found.join(root)?.state
  // The whole is as its record says: a flow is failed, not cancelled, when it was one of its steps that was.
  return tree.kind === 'step' || !decided || decided === 'active' ? tree : { ...tree, state: decided }

  function visit(part: Outline, path: string, reach: Reach): FlowNode {
    const node = typeof part === 'string' ? ({ step: part } satisfies OutlineNode) : part
    const handlers = handlersOf(node, path, reach)
    if (node.step !== undefined) return leaf('step', stepId(root, path), node.step, reach, handlers)
    const children = node.chain
      ? chainOf(node.chain, path, reach)
      : (node.group ?? []).map((member, i) => visit(member, below(path, i), reach))
    const id = path === '' ? root : stepId(root, path)
    if (node.chain) return { kind: 'chain', id, state: chainState(children), children, handlers }
    return { kind: 'group', id, state: groupState(groupId(root, path), reach), children, handlers }
  }

  function chainOf(steps: readonly Outline[], path: string, reach: Reach): FlowNode[] {
    let way = reach
    return steps.map((step, i) => {
      if (i > 0) way = beyond(edgeId(root, below(path, i - 1)), way)
      return visit(step, below(path, i), way)
    })
  }

  /** What lies behind an edge, given what lies before it. */
  function beyond(edge: string, before: Reach): Reach {
    if (before.state !== 'reached') return before
    const join = found.join(edge)
    if (!join || join.state === 'active') return { state: join?.cancelling ? 'cancelled' : 'pending' }
    if (join.state === 'succeeded') return reached
    if (join.state === 'cancelled') return { state: 'cancelled' }
    const cause = found.culprit(edge)
    return { state: 'skipped', ...(cause !== undefined && { cause }) }
  }

  function groupState(id: string, reach: Reach): State {
    const join = found.join(id)
    if (reach.state !== 'reached') return reach.state
    return join?.state ?? 'pending'
  }

  function handlersOf({ onError, onSuccess }: OutlineNode, path: string, reach: Reach): FlowNode[] {
    const join = found.join(handlersId(root, path))
    // A handler whose case did not occur is skipped, one whose part is still open is pending.
    const idle: Reach =
      reach.state !== 'reached' ? reach : { state: join && join.state !== 'active' ? 'skipped' : 'pending' }
    return [
      ...(onError === undefined ? [] : [leaf('onError', onErrorId(root, path), onError, idle, [])]),
      ...(onSuccess === undefined ? [] : [leaf('onSuccess', onSuccessId(root, path), onSuccess, idle, [])]),
    ]
  }

  function leaf(
    kind: FlowNode['kind'],
    id: string,
    task: string,
    reach: Reach,
    handlers: readonly FlowNode[],
  ): FlowNode {
    const record = found.job(id)
    if (!record && reach.state === 'reached') forgotten = true
    const state: State = record?.state ?? (reach.state === 'reached' ? 'pending' : reach.state)
    return {
      kind,
      id,
      task,
      state,
      ...(!record && reach.cause !== undefined && { cause: reach.cause }),
      children: [],
      handlers,
      ...(record && { record }),
    }
  }
}

/** A chain is where its first unfinished step is; else as it ended. What skips the rest of it has failed it. */
function chainState(steps: readonly FlowNode[]): State {
  const open = steps.find(({ state }) => state !== 'succeeded')
  if (!open) return 'succeeded'
  if (open.state === 'expired' || (open.state === 'cancelled' && steps.at(-1)!.state === 'skipped'))
    return 'failed'
  const begun = steps[0] !== open
  return begun && (open.state === 'pending' || open.state === 'waiting') ? 'active' : open.state
}

/** The steps of a tree, without handlers, in the order of declaration. */
export function* stepsOf(node: FlowNode): Generator<FlowNode> {
  if (node.kind === 'step') yield node
  for (const child of node.children) yield* stepsOf(child)
}
