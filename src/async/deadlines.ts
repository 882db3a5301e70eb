export interface Deadline {
  readonly at: number
  readonly expire: () => void
}

export interface Deadlines {
  /** Call `expire` in `ms`, unless it is removed before. */
  add(ms: number, expire: () => void): Deadline
  remove(deadline: Deadline): void
}

/**
 * Any number of deadlines on one timer. Thousands of short jobs with long timeouts cost a set entry each:
 * the timer is armed for the earliest deadline it has seen and looks around only when it fires.
 */
export function deadlines(): Deadlines {
  const pending = new Set<Deadline>()
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.POSITIVE_INFINITY

  function arm(at: number) {
    if (at >= armedFor) return
    clearTimeout(timer)
    armedFor = at
    timer = setTimeout(fire, Math.min(Math.max(at - performance.now(), 0), 2 ** 31 - 1)).unref()
  }

  function fire() {
    armedFor = Number.POSITIVE_INFINITY
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const deadline of pending) {
      if (deadline.at <= now) {
        pending.delete(deadline)
        deadline.expire()
      } else if (deadline.at < next) next = deadline.at
    }
    if (next < Number.POSITIVE_INFINITY) arm(next)
  }

  return {
    add(ms, expire) {
      const deadline = { at: performance.now() + ms, expire }
      pending.add(deadline)
      arm(deadline.at)
      return deadline
    },
    remove(deadline) {
      pending.delete(deadline)
    },
  }
}
