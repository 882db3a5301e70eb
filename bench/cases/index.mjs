import { adds, bulks } from './adds.mjs'
import { idle, sizes } from './cost.mjs'
import { drains } from './drain.mjs'
import { chains, chords, groups } from './flows.mjs'
import { calls, lateness, pickups } from './latency.mjs'

/** @type {readonly import('../types.ts').Case[]} */
export const cases = [adds, bulks, ...drains, calls, pickups, lateness, idle, sizes, chords, groups, chains]
