/**
 * Numbers by a seed (mulberry32), so that a run can be asked for again.
 *
 * @param {number} seed
 */
export function randomBy(seed) {
  let state = seed >>> 0

  /** From 0 up to, not including, 1. */
  function next() {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    /** A whole number, both ends included. @param {number} from @param {number} to */
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    /** @template T @param {readonly T[]} list */
    pick: (list) => /** @type {T} */ (list[Math.floor(next() * list.length)]),
  }
}
