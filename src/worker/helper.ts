import { parentPort, workerData } from 'node:worker_threads'
import { pause } from '../async/signals.ts'
import type { PulseConnect, PulseLine } from '../port/index.ts'
import type { HelperData } from './leases.ts'

// The helper thread. It renews the lease while the main loop moves, or has moved within `blockedAfter`;
// then it falls silent, the lease lapses, and other workers take the jobs over. A failing beat is tried
// again at the next one: the main loop reports what is wrong with the backend.

const { module, data, worker, lease, blockedAfter, moves } = workerData as HelperData
let line: PulseLine | undefined
let seen = Atomics.load(moves, 0)
let movedAt = performance.now()

async function beat(): Promise<void> {
  const count = Atomics.load(moves, 0)
  if (count !== seen) {
    seen = count
    movedAt = performance.now()
  }
  if (performance.now() - movedAt > blockedAfter) return
  try {
    if (!line) {
      const { connect } = (await import(module)) as { connect: PulseConnect }
      line = await connect(data, worker, lease)
    }
    await line.beat()
  } catch {}
}

// The thread ends itself, here between two calls. To be ended in the middle of one may be the end of the whole
// process: see the note in drivers/sqlite/pulse.ts.
parentPort?.on('message', async () => {
  try {
    await line?.close()
  } finally {
    process.exit()
  }
})

async function run(): Promise<never> {
  for (;;) {
    const next = performance.now() + lease / 3
    await beat()
    await pause(Math.max(0, next - performance.now()))
  }
}

void run()
