/**
 * Growing pauses between tries of a failing call, with jitter over the upper half so that many who fail together don't
 * come back together. See Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export interface Backoff {
  /** The next pause in milliseconds. */
  next(): number
  /** It worked: start small again. */
  reset(): void
}

export function backoff(from: number, to: number, random: () => number = Math.random): Backoff {
  let ceiling = from
  return {
    next() {
      const delay = ceiling / 2 + (random() * ceiling) / 2
      ceiling = Math.min(ceiling * 2, to)
      return delay
    },
    reset() {
      ceiling = from
    },
  }
}
