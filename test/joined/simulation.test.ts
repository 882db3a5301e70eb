import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaults } from '../../src/drivers/joined/timing.ts'
import { mutants } from './mutants.ts'
import { type Outturn, type Plan, runTown } from './town.ts'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A small fast generator of uniform numbers, so that a run can be repeated from its seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function run(seed: number, plan: (random: () => number) => Partial<Plan>): Promise<Outturn> {
  const random = seeded(seed)
  vi.spyOn(Math, 'random').mockImplementation(random)
  return runTown({
    random,
    timing: defaults,
    dies: () => false,
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    ...plan(random),
  })
}

/** Nobody looks for himself: what is not carried by a ticket is not found. */
const noLooks = { ...defaults, hold: 2_000, look: Number.POSITIVE_INFINITY }
const sound = { stuck: [], twice: [], tickets: 0, unsent: 0 }

/** One process dies at the nth step, for every n there is. */
async function everyStep(mutate?: Plan['mutate']): Promise<string[]> {
  const faults: string[] = []
  for (let seed = 1; seed <= 4; seed++) {
    let steps = Number.POSITIVE_INFINITY
    for (let step = 0; step <= steps; step++) {
      const got = await run(seed, () => ({
        timing: noLooks,
        dies: (each) => each === step,
        ...(mutate && { mutate }),
      }))
      if (step === 0) steps = got.steps
      const { stuck, twice, tickets, unsent } = got
      if (stuck.length + twice.length + tickets + unsent > 0) {
        faults.push(`seed ${seed}, step ${step}: ${JSON.stringify({ stuck, twice, tickets, unsent })}`)
      }
      if (mutate && faults.length > 0) return faults
    }
  }
  return faults
}

/** Processes die and tickets are lost, doubled and mixed, all the time. */
async function storms(runs: number, plan: Partial<Plan> = {}): Promise<string[]> {
  const faults: string[] = []
  for (let seed = 1; seed <= runs; seed++) {
    const { stuck, twice } = await run(seed, (random) => ({
      weather: {
        twice: () => random() < 0.2,
        mixed: () => random() < 0.3,
        late: () => random() * 60,
      },
      dies: (step) => step < 300 && random() < 0.03,
      forgets: (step) => step < 300 && random() < 0.1,
      ...plan,
    }))
    if (stuck.length + twice.length > 0) faults.push(`seed ${seed}: ${JSON.stringify({ stuck, twice })}`)
    if (plan.mutate && faults.length > 0) return faults
  }
  return faults
}

test('when nothing happens, every job ends, and no ticket is left', async () => {
  expect(await run(1, () => ({ timing: noLooks }))).toMatchObject(sound)
})

test('a crash at any one step costs no job, and no ticket', async () => {
  expect(await everyStep()).toEqual([])
}, 120_000)

test('every job ends once, whatever is lost, doubled and mixed, and whoever dies', async () => {
  expect(await storms(1500)).toEqual([])
}, 240_000)

for (const { broken, mutate } of mutants) {
  test(`the simulation notices when ${broken}`, async () => {
    expect(await everyStep(mutate)).not.toEqual([])
  }, 120_000)
}

test('the simulation notices when nobody looks for himself and the broker forgets', async () => {
  expect(await storms(50, { timing: noLooks, mutate: (parts) => parts })).not.toEqual([])
}, 120_000)
