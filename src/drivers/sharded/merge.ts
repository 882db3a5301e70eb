import type { Count, WorkerRecord } from '../../port/index.ts'
import { jobStates } from '../../port/index.ts'

/** Counts of all parts, in the order of one. */
export function mergeCounts(parts: readonly (readonly Count[])[]): Count[] {
  const all = new Map<string, Count>()
  for (const each of parts.flat()) {
    const key = `${each.state}\n${each.queue}`
    all.set(key, { ...each, count: each.count + (all.get(key)?.count ?? 0) })
  }
  return [...all.values()].sort(
    (a, b) =>
      Number(a.queue > b.queue) - Number(a.queue < b.queue) ||
      jobStates.indexOf(a.state) - jobStates.indexOf(b.state),
  )
}

/** A worker has a lease in each part; the first to end counts. */
export function mergeWorkers(parts: readonly (readonly WorkerRecord[])[]): WorkerRecord[] {
  const all = new Map<string, WorkerRecord>()
  for (const each of parts.flat()) {
    const other = all.get(each.worker)
    all.set(each.worker, {
      ...each,
      active: each.active + (other?.active ?? 0),
      expires: Math.min(each.expires, other?.expires ?? Number.POSITIVE_INFINITY),
    })
  }
  return [...all.values()]
}

/** The order of code points, which is not that of `<` beyond the first 65,536. */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
