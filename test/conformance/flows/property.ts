import fc from 'fast-check'
import type { Backend } from '../../../src/port/index.ts'
import { type Course, type Ground, runFlow } from './run.ts'
import { anyFlow } from './value.ts'

const anyCourse: fc.Arbitrary<Course> = fc.record({
  choices: fc.array(fc.nat({ max: 119 }), { maxLength: 200, size: 'max' }),
  cancelAt: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat({ max: 60 }) },
  ),
})

/**
 * Random flows with random mishaps come to what the oracle says. Set MILLRACE_SEED to run a seed again, and
 * MILLRACE_FLOWS for another number of flows.
 *
 * @param backends - handles on one namespace
 */
export async function flowsHold(backends: readonly Backend[], flows: number): Promise<void> {
  const runs = Number(process.env.MILLRACE_FLOWS ?? flows)
  const seed = Number(process.env.MILLRACE_SEED ?? Date.now() % 2 ** 31)
  console.log(`${runs} random flows, MILLRACE_SEED=${seed}`)
  await tryFlows(backends, { seed, numRuns: runs })
}

/** The same under other settings of fast-check. */
export async function tryFlows(
  backends: readonly Backend[],
  settings: fc.Parameters<unknown>,
): Promise<void> {
  const ground: Ground = { backends, offset: 0, runs: 0 }
  await fc.assert(
    fc.asyncProperty(anyFlow, anyCourse, (flow, course) => runFlow(ground, flow, course)),
    settings as object,
  )
}
