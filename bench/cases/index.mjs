import { adds, bulks, manyAdds } from './adds.mjs'
import { idle, sizes } from './cost.mjs'
import { backlogs, drains } from './drain.mjs'
import { chains, chords, groups } from './flows.mjs'
import { calls, callsAbreast, lateness, manyLate, pickups } from './latency.mjs'
import { schedules } from './schedules.mjs'

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
  schedules,
  chords,
  groups,
  chains,
  backlogs,
]
