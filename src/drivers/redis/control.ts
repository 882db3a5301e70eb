import type { Cancelled, Control, Retried } from '../../port/index.ts'
import { scripts } from './lua/index.ts'
import { asBefore, type Shard } from './shard.ts'

const cancelled: Readonly<Record<string, Cancelled>> = {
  c: 'cancelled',
  g: 'cancelling',
  f: 'final',
  u: 'unknown',
}
const retried: Readonly<Record<string, Retried>> = {
  w: 'waiting',
  l: 'live',
  s: 'succeeded',
  m: 'member',
  u: 'unknown',
}
/** Ids in one call at the most. */
const PAGE = 500

/** Commands. */
export const createControl = (shard: Shard): Control => ({
  async cancel(ids) {
    const answers: Cancelled[] = []
    for (const page of pages(ids)) {
      const letters = (await shard.run(scripts.cancel, page, asBefore)) as string
      for (const [i, id] of page.entries()) answers.push(await cancelWhole(shard, id, letters[i]!))
    }
    return answers
  },
  async retry(ids) {
    const answers: Retried[] = []
    for (const page of pages(ids)) {
      const letters = (await shard.run(scripts.retry, page)) as string
      answers.push(...[...letters].map((letter) => retried[letter]!))
    }
    return answers
  },
  async shiftClock(offset) {
    await shard.run(scripts.shift, [Math.round(offset)], asBefore)
  },
})

/** A large flow's members are ended page by page. */
async function cancelWhole(shard: Shard, id: string, letter: string): Promise<Cancelled> {
  if (letter !== 'm') return cancelled[letter]!
  for (;;) {
    const next = (await shard.run(scripts.cancel, [id], asBefore)) as string
    if (next === 'g') return 'cancelling'
    if (next !== 'm') return 'cancelled'
  }
}

export function pages<T>(items: readonly T[], size = PAGE): T[][] {
  const all: T[][] = []
  for (let at = 0; at < items.length; at += size) all.push(items.slice(at, at + size))
  return all
}
