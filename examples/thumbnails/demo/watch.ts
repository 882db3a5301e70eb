import { setTimeout } from 'node:timers/promises'
import type { App, FlowStep } from 'millrace'
import type { Program } from './processes.ts'

/** All steps of these flows, as any process can read them. */
export const stepsOf = async (app: App, flows: readonly string[]): Promise<FlowStep[]> =>
  (await Promise.all(flows.map((id) => app.flow(id).steps()))).flat()

export const isThumbnail = ({ task }: FlowStep): boolean => task === 'photo.thumbnail'

/** The jobs that a worker has in its hands. */
const heldBy = (steps: readonly FlowStep[], worker: string): FlowStep[] =>
  steps.filter(({ state, job }) => state === 'active' && job?.worker === worker)

/** Resolves once the backend knows these workers. */
export async function workersReady(app: App, workers: readonly Program[]): Promise<void> {
  for (;;) {
    const alive = new Set((await app.workers()).map(({ id }) => id))
    if (workers.every(({ name }) => alive.has(name))) return
    await setTimeout(20)
  }
}

/**
 * Kill a worker in the middle of its work: after some thumbnails are made, and while it really holds jobs.
 * It is frozen first, so that what it holds can't change between the look and the kill.
 *
 * @param flows - ids of the flows under way; may grow while this runs
 * @returns the jobs that it took to its grave
 */
export async function killAtWork(app: App, flows: readonly string[], victim: Program): Promise<FlowStep[]> {
  const soon = Date.now() + 20_000
  while (Date.now() < soon) {
    const steps = await stepsOf(app, flows)
    const made = steps.filter(({ state }) => state === 'succeeded').length
    if (made >= 3 && heldBy(steps, victim.name).length > 0) {
      await victim.signal('SIGSTOP')
      await setTimeout(20)
      const held = heldBy(await stepsOf(app, flows), victim.name)
      if (held.length > 0) {
        await victim.signal('SIGKILL')
        return held
      }
      await victim.signal('SIGCONT')
    }
    await setTimeout(5)
  }
  throw new Error('The worker that was to be killed never held a job.')
}
