import type { FlowTree, State } from '../index.ts'
import { failureLine, paintState, stateOf } from './job-view.ts'
import type { Colors } from './output.ts'
import { cut, visible, width } from './text.ts'
import { span } from './time.ts'

interface View {
  readonly colors: Colors
  readonly columns: number | undefined
  /** Show every member of every group. */
  readonly all: boolean
}

/** Members of one group that are shown. */
const SHOWN = 20

/** What needs attention comes first when not all can be shown. */
const URGENCY: readonly State[] = ['failed', 'expired', 'cancelled', 'active', 'retrying']

/** A flow as a tree: a line for each step, with its state, time, and what went wrong. */
export function drawTree(id: string, state: string, tree: FlowTree, view: View): string {
  const { colors } = view
  const again = tree.retryOf === undefined ? '' : colors.dim(`  retry of ${visible(tree.retryOf)}`)
  const head = `${colors.bold(visible(id))}  ${paintState(state, state, colors)}${again}`
  return [head, ...branch(tree, '', '', id, view)].join('\n')
}

function branch(node: FlowTree, first: string, rest: string, root: string, view: View): string[] {
  const { shown, left } = choose(node, view.all)
  const below: readonly (FlowTree | string)[] = [...shown, ...left, ...node.handlers]
  return [
    first + line(node, root, view, width(first)),
    ...below.flatMap((child, i) => {
      const last = i === below.length - 1
      const [start, on] = last ? ['└─ ', '   '] : ['├─ ', '│  ']
      if (typeof child === 'string') return [`${rest}${start}${view.colors.dim(child)}`]
      return branch(child, rest + start, rest + on, root, view)
    }),
  ]
}

/** The children to show, and a line that counts the others. */
function choose({ kind, children }: FlowTree, all: boolean): { shown: FlowTree[]; left: string[] } {
  if (all || kind !== 'group' || children.length <= SHOWN) return { shown: [...children], left: [] }
  const urgency = ({ state }: FlowTree) => {
    const place = URGENCY.indexOf(state)
    return place < 0 ? URGENCY.length : place
  }
  const chosen = new Set([...children].sort((a, b) => urgency(a) - urgency(b)).slice(0, SHOWN))
  const counts = new Map<State, number>()
  for (const child of children) {
    if (!chosen.has(child)) counts.set(child.state, (counts.get(child.state) ?? 0) + 1)
  }
  const text = [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
  return {
    shown: children.filter((child) => chosen.has(child)),
    left: [`and ${children.length - SHOWN} more: ${text} (--all shows them)`],
  }
}

function line(node: FlowTree, root: string, { colors, columns }: View, indent: number): string {
  const { kind, task, state, cause, job, children } = node
  const name = visible(
    kind === 'group' || kind === 'chain'
      ? `${kind} of ${children.length}`
      : kind === 'step'
        ? task!
        : `${kind}: ${task}`,
  )
  const shownState = visible(job ? stateOf(job) : state)
  const notes = [
    ...(job?.started ? [span((job.ended?.getTime() ?? Date.now()) - job.started.getTime())] : []),
    ...(job && job.attempt > 1 ? [`attempt ${job.attempt}`] : []),
    ...(job?.progress && state === 'active' ? [`${Math.round(job.progress.percent)} %`] : []),
    ...(job?.error ? [failureLine(job.error)] : []),
    ...(cause === undefined
      ? []
      : [`because of ${cause.startsWith(`${root}/`) ? cause.slice(root.length) : cause}`]),
  ]
  // A step is found by `millrace job <flow>/0.1`.
  const place = job ? visible(node.id.slice(root.length)) : ''
  const used = indent + width(name) + 2 + width(shownState) + 2 + (place === '' ? 0 : width(place) + 2)
  const note = visible(notes.join('  '))
  const fitting = columns === undefined ? note : cut(note, Math.max(1, columns - used))
  return [
    kind === 'step' ? name : colors.dim(name),
    paintState(state, shownState, colors),
    ...(place === '' ? [] : [colors.dim(place)]),
    ...(note === '' ? [] : [job?.error ? colors.red(fitting) : colors.dim(fitting)]),
  ].join('  ')
}
