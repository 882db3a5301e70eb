import { parentPort, workerData } from 'node:worker_threads'
import type { PulseConnect, PulseLine } from '../port/index.ts'
import type { HelperData } from './leases.ts'

// The helper thread. It renews the lease while the main loop moves, or has moved within `blockedAfter`;
// then it falls silent, the lease lapses, and other workers take the jobs over. A failing beat is tried
// again at the next one: the main loop reports what is wrong with the backend.

const { module, data, worker, lease, blockedAfter, moves } = workerData as HelperData
let line: PulseLine | undefined
let seen = Atomics.load(moves, 0)
let movedAt = performance.now()
let stopped = false

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

let wake = () => {}
parentPort?.on('message', () => {
  stopped = true
  wake()
})

async function run(): Promise<void> {
  while (!stopped) {
    const next = performance.now() + lease / 3
    await beat()
    if (stopped) break
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, next - performance.now()))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  await line?.close()
  parentPort?.close()
}

void run()
