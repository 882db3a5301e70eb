import { BackendError } from '../../errors.ts'
import { type Backend, idOf, open, type Receipt, type Submission } from '../../port/index.ts'
import { createConsumer } from './consumer.ts'
import { createControl } from './control.ts'
import { events } from './events.ts'
import { admit, endMarked, ledger } from './moves.ts'
import { createRecords } from './records.ts'
import { createSpace, now, ring, type Space } from './space.ts'
import { sweep } from './sweep.ts'

/** Named spaces of this process; an unnamed one is its backend's own. */
const spaces = new Map<string, Space>()

/**
 * A backend in this process: for tests, and for work that may go with the process. It keeps every rule
 * that the durable ones keep.
 *
 * @param name - backends of the same name share their jobs; without one, the backend is private
 * @example
 * const app = connect(memory())
 */
export function memory(name = ''): Backend {
  const space = spaces.get(name) ?? createSpace()
  if (name) spaces.set(name, space)
  let closed = false

  const alive = <A extends unknown[], R>(verb: (...args: A) => R) => {
    return async (...args: A): Promise<Awaited<R>> => {
      if (closed) throw new BackendError('BACKEND_CLOSED', 'This backend is closed. Connect again.')
      return await verb(...args)
    }
  }
  const allAlive = <V extends object>(verbs: V): V =>
    Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, alive(verb)])) as V
  return {
    submit: alive(async (batch) => submit(space, batch)),
    consume: alive(async (options) => createConsumer(space, options)),
    sweep: alive(async () => sweep(space)),
    events: alive((filter, signal) => events(space, filter, signal)),
    records: createRecords(space),
    control: createControl(space),
    diagnose: alive(async () => ({
      backend: name ? `memory:${name}` : 'memory:',
      versions: { node: process.versions.node },
      clockSkew: space.offset,
      warnings: ['The memory backend keeps nothing when the process ends.'],
    })),
    async [Symbol.asyncDispose]() {
      closed = true
    },
  }
}

function submit(space: Space, batch: readonly Submission[]): Receipt[] {
  const at = now(space)
  const receipts = batch.map((submission): Receipt => {
    const id = idOf(submission)
    if (space.rows.has(id) || space.joins.has(id)) return { id, status: 'duplicate' }
    const root = submission.joins?.find((join) => join.root)
    if (root) space.flows.set(id, { root, rows: [], joins: [], marked: false })
    for (const join of submission.joins ?? []) {
      space.joins.set(join.id, {
        join,
        state: 'active',
        slots: new Map(),
        failed: 0,
        mark: undefined,
        created: at,
        ended: undefined,
      })
      space.flows.get(join.flow)!.joins.push(join.id)
    }
    for (const job of submission.jobs) admit(space, job, at)
    open(ledger(space, at), submission.opens)
    return { id, status: 'accepted' }
  })
  endMarked(space, at)
  ring(space)
  return receipts
}
