import { type App, type FlowTree, WaitError } from '../../index.ts'
import { toDot, toMermaid } from '../flow-graph.ts'
import { drawTree } from '../flow-view.ts'
import { examples } from '../help.ts'
import type { Register } from '../register.ts'
import { flowJson } from '../values.ts'

/** Draws a flow. */
export const flow: Register = (program, run) => {
  program
    .command('flow')
    .summary('draw a flow')
    .description(
      'Draw a flow as a tree: each step with its state, how long it ran, and what went wrong. Of a large group ' +
        'the first members are shown, those that need attention before all others, and the rest is counted.',
    )
    .argument('<id>', 'the id that enqueue gave')
    .option('--all', 'every member of every group')
    .option('--dot', 'as a graph for Graphviz')
    .option('--mermaid', 'as a graph for Mermaid, which Markdown viewers draw')
    .addHelpText(
      'after',
      examples(
        ['millrace flow album:42', 'see how far it is'],
        ['millrace flow album:42 --dot | dot -Tsvg > album.svg', 'make a picture of it'],
      ),
    )
    .action(
      run(async ({ output, open }, command) => {
        const { app } = await open()
        const id = command.args[0]!
        const { all, dot, mermaid } = command.opts<{ all?: true; dot?: true; mermaid?: true }>()
        const { tree, state } = await find(app, id)
        output.answer({ id, state, tree: flowJson(tree) }, () => {
          if (dot) return toDot(id, tree)
          return mermaid ? toMermaid(tree) : drawTree(id, state, tree, { ...output, all: all === true })
        })
        return undefined
      }),
    )
}

async function find(app: App, id: string): Promise<{ tree: FlowTree; state: string }> {
  const handle = app.flow(id)
  const [tree, state] = await Promise.all([handle.tree(), handle.state()])
  // A job that is no flow has a tree as well, of itself alone.
  if (tree && (tree.kind !== 'step' || tree.id !== id)) return { tree, state }
  throw new WaitError(
    'UNKNOWN_JOB',
    state === 'unknown'
      ? `There is no flow ${JSON.stringify(id)}: it was never accepted here, or its record is gone.`
      : `${JSON.stringify(id)} is a single job. See: millrace job ${id}`,
  )
}
