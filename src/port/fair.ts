/** One line of a worker's subscription. */
export interface Weighted {
  readonly name: string
  readonly weight: number
}

/** Claim up to `limit` jobs of one queue; how many there were. */
export type Claim = (queue: string, limit: number) => number

/**
 * Share the places of a `take` among queues by weight. What an empty queue leaves goes to the others, so no
 * place stays free while anything waits; rounding is carried over, so a weight of 1 beside 99 gets its
 * hundredth place even when places come one at a time (smooth weighted round-robin).
 *
 * @returns a function that claims up to `max` and says how many it got
 */
export function fairShare(queues: readonly Weighted[]): (max: number, claim: Claim) => number {
  const deal = dealer(queues)
  return (max, claim) => {
    if (queues.length === 1) return claim(queues[0]!.name, max)
    let left = max
    deal(max).forEach((share, i) => {
      if (share > 0) left -= claim(queues[i]!.name, share)
    })
    for (const queue of queues) {
      if (left === 0) break
      left -= claim(queue.name, left)
    }
    return max - left
  }
}

/**
 * The places of a `take` by queue, where the claims are made elsewhere: what an empty queue leaves is to be
 * offered to the others there.
 *
 * @returns a function that deals out `max` places, in the order of the queues
 */
export function dealer(queues: readonly Weighted[]): (max: number) => number[] {
  const total = queues.reduce((sum, queue) => sum + queue.weight, 0)
  const credit = queues.map(() => 0)

  return (max) => {
    let left = max
    const shares = queues.map((queue, i) => {
      credit[i]! += (max * queue.weight) / total
      const share = Math.max(0, Math.min(left, Math.floor(credit[i]!)))
      left -= share
      credit[i]! -= share
      return share
    })
    for (; left > 0; left--) {
      const richest = credit.indexOf(Math.max(...credit))
      shares[richest]!++
      credit[richest]!--
    }
    return shares
  }
}
