import type { Body } from '../port/index.ts'
import type { PartValue } from './flow.ts'

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

const VERSION = '1'

export const packOutline = (part: PartValue): Body => VERSION + JSON.stringify(outlineOf(part))

export const unpackOutline = (body: Body): Outline => JSON.parse(body.slice(1)) as Outline

function outlineOf(part: PartValue): Outline {
  const handlers = {
    ...(part.whenFailed && { onError: part.whenFailed.task }),
    ...(part.whenSucceeded && { onSuccess: part.whenSucceeded.task }),
  }
  if (part.kind === 'chain') return { chain: part.steps.map(outlineOf), ...handlers }
  if (part.kind === 'group') return { group: part.members.map(outlineOf), ...handlers }
  return part.whenFailed || part.whenSucceeded ? { step: part.task, ...handlers } : part.task
}
