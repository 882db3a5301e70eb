import { adds, bulks, manyAdds } from './adds.mjs'
import { idle, sizes } from './cost.mjs'
import { drains } from './drain.mjs'
import { chains, chords, groups } from './flows.mjs'
import { calls, lateness, manyLate, pickups } from './latency.mjs'

/** @type {readonly import('../types.ts').Case[]} */
export const cases = [
  adds,
  manyAdds,
  bulks,
  ...drains,
  calls,
  pickups,
  lateness,
  manyLate,
  idle,
  sizes,
  chords,
  groups,
  chains,
]
