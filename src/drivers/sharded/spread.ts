import { pause } from '../../async/signals.ts'
import type { Millis } from '../../port/index.ts'

/** Ask each part for its items; the answers in the order of all. */
export async function byPart<I, O>(
  items: readonly I[],
  partOf: (item: I) => number,
  ask: (part: number, items: readonly I[]) => Promise<readonly O[]>,
): Promise<O[]> {
  const groups = new Map<number, { items: I[]; places: number[] }>()
  for (const [i, item] of items.entries()) {
    const part = partOf(item)
    let group = groups.get(part)
    if (!group) {
      group = { items: [], places: [] }
      groups.set(part, group)
    }
    group.items.push(item)
    group.places.push(i)
  }
  const all = new Array<O>(items.length)
  await Promise.all(
    [...groups].map(async ([part, group]) => {
      const answers = await ask(part, group.items)
      for (const [i, place] of group.places.entries()) all[place] = answers[i]!
    }),
  )
  return all
}

/**
 * What the parts answer to something that each is asked again and again, without waiting long for one that does
 * not answer, or asking it once more meanwhile.
 */
export interface Chorus<O> {
  /** Rejects when no part answers and one fails. */
  ask(late: Millis): Promise<{ readonly answers: readonly O[]; readonly fault?: unknown }>
}

export function createChorus<O>(
  count: number,
  ask: (part: number) => Promise<O>,
  onLate: (answer: O) => void = () => {},
): Chorus<O> {
  const asked = new Set<number>()

  return {
    async ask(late) {
      const answers: O[] = []
      const faults: unknown[] = []
      let isOver = false
      const one = async (part: number) => {
        if (asked.has(part)) return
        asked.add(part)
        try {
          const answer = await ask(part)
          if (isOver) onLate(answer)
          else answers.push(answer)
        } catch (error) {
          faults.push(error)
        } finally {
          asked.delete(part)
        }
      }
      const timer = new AbortController()
      const all = Promise.all(Array.from({ length: count }, (_, part) => one(part)))
      await Promise.race([all, pause(late, timer.signal)])
      timer.abort()
      isOver = true
      if (answers.length === 0 && faults.length > 0) throw faults[0]
      return { answers, ...(faults.length > 0 && { fault: faults[0] }) }
    },
  }
}
