import { expect, test } from 'vitest'
import { createRelay } from '../../src/drivers/joined/relay.ts'
import { memory } from '../../src/drivers/memory/index.ts'
import type { Broker } from '../../src/port/index.ts'
import { single } from '../../src/testing/conformance/build.ts'
import { fakeBroker } from './broker.ts'

test('a queue that the broker refuses leaves the tickets of others sent, and sent once', async () => {
  await using store = memory('relay-refused')
  const sent: string[] = []
  let refusals = 0
  let often = () => {}
  const refusedOften = new Promise<void>((resolve) => {
    often = resolve
  })
  const broker: Broker = {
    ...fakeBroker().connect(),
    async publish(tickets) {
      if (tickets.some(({ queue }) => queue === 'bad')) {
        if (++refusals === 3) often()
        throw new Error('This queue is refused.')
      }
      sent.push(...tickets.map(({ id }) => id))
    },
  }
  await store.submit([
    single({ id: 'a', queue: 'good' }),
    single({ id: 'b', queue: 'bad' }),
    single({ id: 'c', queue: 'good' }),
  ])
  const relay = createRelay(broker, store, { look: Infinity, hold: 50, rest: 200 })
  relay.nudge()
  await refusedOften
  expect(sent).toEqual(['a', 'c'])
  expect(relay.fault?.message).toContain('is refused')
  await relay.stop()
})
