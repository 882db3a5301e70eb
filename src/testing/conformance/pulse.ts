import assert from 'node:assert/strict'
import type { PulseConnect, PulseLine } from '../../port/index.ts'
import { LEASE, SECOND, single } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** The helper thread's line, opened in this thread; `undefined` on a backend that needs none. */
async function line(stage: Stage, worker: string): Promise<PulseLine | undefined> {
  const { pulse } = stage.backend
  if (!pulse) return undefined
  const { connect } = (await import(pulse.module)) as { connect: PulseConnect }
  return connect(structuredClone(pulse.data), worker, LEASE)
}

export const pulse: Subject = {
  'where there is a pulse, it renews a worker’s lease on a connection of its own': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker({ worker: 'wheel' })
    const delivery = await worker.takes('a')
    const helper = await line(stage, 'wheel')
    if (!helper) return
    for (let i = 0; i < 4; i++) {
      await stage.advance(LEASE - 5 * SECOND)
      await helper.beat()
      await stage.sweep()
    }
    assert.equal(await stage.state('a'), 'active')
    await helper.close()
    await worker.finishes([delivery])
  },

  'where there is a pulse, it gives no worker back what it has lost': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker({ worker: 'wheel' })
    const delivery = await worker.takes('a')
    const helper = await line(stage, 'wheel')
    if (!helper) return
    await stage.advance(LEASE + 1)
    await stage.sweep()
    await helper.beat()
    assert.equal(await stage.state('a'), 'waiting')
    assert.ok((await stage.backend.records.workers()).every(({ active }) => active === 0))
    await helper.close()
    assert.equal(await worker.ends(delivery, { kind: 'back' }), 'stale')
    await (await stage.worker()).runs('a')
  },
}
