import { test } from 'vitest'
import type { Backend } from '../../../src/port/index.ts'
import { cutOff } from '../../../src/testing/contract/outage.ts'
import { openStage } from '../../../src/testing/contract/stage.ts'
import { flowsHold, theatre } from './run.ts'

const PATIENCE = 10_000
const TIMEOUT = 120_000

/** Random flows through the public API, over a backend: as they are, and under two kinds of mishaps. */
export function randomFlows(open: (namespace: string) => Backend | Promise<Backend>, flows: number): void {
  test('random flows come to what a sequential oracle says', { timeout: TIMEOUT }, async () => {
    await using stage = await openStage(open, PATIENCE)
    const house = theatre(stage)
    await stage.worker(house.tasks, { concurrency: 3 })
    await stage.worker(house.tasks, { concurrency: 3 })
    await flowsHold(house, flows)
  })

  test('and to the same when every finish is delivered twice', { timeout: TIMEOUT }, async () => {
    await using stage = await openStage(open, PATIENCE)
    const house = theatre(stage)
    const home = await stage.process({}, ({ verb }) => (verb === 'finish' ? { repeat: true } : undefined))
    await stage.worker(house.tasks, { concurrency: 3 }, home)
    await stage.worker(house.tasks, { concurrency: 3 }, home)
    await flowsHold(house, flows)
  })

  test('and to the same when leases are lost', { timeout: TIMEOUT }, async () => {
    await using stage = await openStage(open, PATIENCE)
    const house = theatre(stage)
    const outage = await cutOff(stage)
    await stage.worker(house.tasks, { concurrency: 2, lease: '15s' }, outage.app)
    await stage.worker(house.tasks, { concurrency: 2 })
    await flowsHold(house, flows / 2, {
      async loses() {
        outage.begin()
        await stage.advance(15_001)
        outage.end()
      },
    })
  })
}
