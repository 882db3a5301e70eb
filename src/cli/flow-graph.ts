import type { FlowTree } from '../index.ts'
import { visible } from './text.ts'

interface Node {
  readonly id: string
  /** The lines in its box; none for a point where members of groups meet. */
  readonly lines: readonly string[]
  readonly state: string
}
interface Edge {
  readonly from: string
  readonly to: string
  /** What a handler waits for. */
  readonly label?: string
}
interface Graph {
  readonly nodes: Node[]
  readonly edges: Edge[]
}

const FILL: Readonly<Record<string, string>> = {
  succeeded: '#c8e6c9',
  failed: '#ffcdd2',
  active: '#b3e5fc',
  retrying: '#fff9c4',
  cancelled: '#e1bee7',
  expired: '#e1bee7',
  skipped: '#eeeeee',
}

/** A flow as a graph in Graphviz's language: what waits for what. */
export function toDot(id: string, tree: FlowTree): string {
  const { nodes, edges } = graphOf(tree)
  const escaped = (text: string) => text.replace(/["\\]/g, '\\$&')
  const quote = (...lines: readonly string[]) => `"${lines.map(escaped).join('\\n')}"`
  return [
    `digraph ${quote(visible(id))} {`,
    '  rankdir=LR; node [shape=box style="rounded,filled" fillcolor=white fontname=sans-serif];',
    ...nodes.map(({ id, lines, state }) =>
      lines.length === 0
        ? `  ${id} [shape=point];`
        : `  ${id} [label=${quote(...lines)} fillcolor=${quote(FILL[state] ?? 'white')}];`,
    ),
    ...edges.map(({ from, to, label }) => {
      const style = label === undefined ? '' : ` [label=${quote(label)} style=dashed]`
      return `  ${from} -> ${to}${style};`
    }),
    '}',
  ].join('\n')
}

/** The same for Mermaid. */
export function toMermaid(tree: FlowTree): string {
  const { nodes, edges } = graphOf(tree)
  const quote = (text: string) => text.replace(/[^\p{L}\p{N} .:_-]/gu, (char) => `#${char.codePointAt(0)};`)
  const states = new Set(nodes.filter(({ state }) => FILL[state]).map(({ state }) => state))
  return [
    'flowchart LR',
    ...nodes.map(({ id, lines, state }) => {
      if (lines.length === 0) return `  ${id}(( ))`
      const fill = FILL[state] ? `:::${state}` : ''
      return `  ${id}["${lines.map(quote).join('<br/>')}"]${fill}`
    }),
    ...edges.map(
      ({ from, to, label }) => `  ${from} ${label === undefined ? '-->' : `-. ${label} .->`} ${to}`,
    ),
    ...[...states].map((state) => `  classDef ${state} fill:${FILL[state]},color:#000`),
  ].join('\n')
}

/** The first and the last nodes of a part. */
interface Ends {
  readonly first: readonly string[]
  readonly last: readonly string[]
}

function graphOf(tree: FlowTree): Graph {
  const nodes: Node[] = []
  const edges: Edge[] = []
  visit(tree)
  return { nodes, edges }

  function add(lines: readonly string[], state: string): string {
    const id = `n${nodes.length}`
    nodes.push({ id, lines: lines.map(visible), state })
    return id
  }

  function visit(node: FlowTree): Ends {
    const ends = endsOf(node)
    for (const handler of node.handlers) {
      const id = add([handler.task!, handler.state], handler.state)
      for (const from of ends.last) edges.push({ from, to: id, label: handler.kind })
    }
    return ends
  }

  function endsOf({ kind, task, state, children }: FlowTree): Ends {
    if (kind === 'chain') return children.map(visit).reduce(join)
    if (kind === 'group' && children.length > 0) {
      const members = children.map(visit)
      return { first: members.flatMap(({ first }) => first), last: members.flatMap(({ last }) => last) }
    }
    const id = add([task ?? 'empty group', state], state)
    return { first: [id], last: [id] }
  }

  /** One after the other; through a point where many meet many. */
  function join(before: Ends, after: Ends): Ends {
    const meet = before.last.length > 1 && after.first.length > 1 ? [add([], '')] : undefined
    connect(before.last, meet ?? after.first)
    if (meet) connect(meet, after.first)
    return { first: before.first, last: after.last }
  }

  function connect(from: readonly string[], to: readonly string[]): void {
    for (const a of from) for (const b of to) edges.push({ from: a, to: b })
  }
}
