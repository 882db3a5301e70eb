import { adds, bulks, manyAdds } from './adds.mjs'
import { idle, sizes } from './cost.mjs'
import { backlogs, drains } from './drain.mjs'
import { chains, chords, groups } from './flows.mjs'
import { calls, callsAbreast, lateness, manyLate, pickups } from './latency.mjs'

/** @type {readonly import('../types.ts').Case[]} */
export const cases = [
  adds,
  manyAdds,
  bulks,
  ...drains,
  calls,
  callsAbreast,
  pickups,
  lateness,
  manyLate,
  idle,
  sizes,
  chords,
  groups,
  chains,
  backlogs,
]
