import type { Body } from '../port/index.ts'
import type { PartValue } from './flow.ts'
import { stepId } from './ids.ts'

/**
 * The shape of a flow, as its record keeps it for readers: a step is its task's name, all else an object.
 * Ids are not stored, since they follow from the place; see ids.ts.
 */
export type Outline = string | OutlineNode

export interface OutlineNode {
  readonly chain?: readonly Outline[]
  readonly group?: readonly Outline[]
  /** A single step that has handlers. */
  readonly step?: string
  readonly onError?: string
  readonly onSuccess?: string
}

/** What a flow's record says besides its state. */
export interface FlowOutline {
  readonly shape: Outline
  /** The flow that this one is a new run of. */
  readonly retryOf?: string
}

const VERSION = '1'

export const packOutline = (outline: FlowOutline): Body => VERSION + JSON.stringify(outline)

export const unpackOutline = (body: Body): FlowOutline => JSON.parse(body.slice(1)) as FlowOutline

/** The step of a flow that is a single job with handlers; `undefined` for any other flow. */
export function onlyStep(root: string, outline: Body): string | undefined {
  const { shape } = unpackOutline(outline)
  return typeof shape === 'object' && shape.step !== undefined ? stepId(root, '') : undefined
}

export function outlineOf(part: PartValue): Outline {
  const handlers = {
    ...(part.whenFailed && { onError: part.whenFailed.task }),
    ...(part.whenSucceeded && { onSuccess: part.whenSucceeded.task }),
  }
  if (part.kind === 'chain') return { chain: part.steps.map(outlineOf), ...handlers }
  if (part.kind === 'group') return { group: part.members.map(outlineOf), ...handlers }
  return part.whenFailed || part.whenSucceeded ? { step: part.task, ...handlers } : part.task
}
