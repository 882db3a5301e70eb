import type { FlowTree } from 'millrace'

export const isFinal = (state: string): boolean => /succeeded|failed|cancelled|expired|skipped/.test(state)

/** The steps and handlers of a flow: a group or chain shows what its steps show. */
export function* nodesOf(tree: FlowTree): Generator<FlowTree> {
  if (tree.task !== undefined) yield tree
  for (const child of [...tree.children, ...tree.handlers]) yield* nodesOf(child)
}
