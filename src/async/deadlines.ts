export interface Deadline<T> {
  /** By `performance.now()`. */
  readonly at: number
  readonly item: T
  previous: Deadline<T>
  next: Deadline<T>
}

export interface Deadlines<T> {
  /** Expire `item` at that time, by `performance.now()`, unless it is removed before. */
  add(at: number, item: T): Deadline<T>
  remove(deadline: Deadline<T>): void
}

/**
 * Any number of deadlines on one timer. Thousands of short jobs with long timeouts cost a link of a ring
 * each: the timer is armed for the earliest deadline it has seen and looks around only when it fires.
 *
 * @param holds - whether the process stays alive while there are any
 */
export function deadlines<T>(expire: (item: T) => void, holds = false): Deadlines<T> {
  const ring = {} as Deadline<T>
  ring.previous = ring.next = ring
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.POSITIVE_INFINITY

  function arm(at: number) {
    clearTimeout(timer)
    armedFor = at
    timer = setTimeout(fire, Math.min(Math.max(at - performance.now(), 0), 2 ** 31 - 1))
    if (!holds) timer.unref()
  }

  function fire() {
    armedFor = Number.POSITIVE_INFINITY
    const now = performance.now()
    let earliest = Number.POSITIVE_INFINITY
    const over: Deadline<T>[] = []
    for (let deadline = ring.next; deadline !== ring; deadline = deadline.next) {
      if (deadline.at <= now) over.push(deadline)
      else if (deadline.at < earliest) earliest = deadline.at
    }
    if (earliest < armedFor) arm(earliest)
    for (const deadline of over) {
      remove(deadline)
      expire(deadline.item)
    }
  }

  /** Of one that has been removed before, nothing changes: it is a ring of its own. */
  function remove(deadline: Deadline<T>) {
    deadline.previous.next = deadline.next
    deadline.next.previous = deadline.previous
    deadline.previous = deadline.next = deadline
    if (holds && ring.next === ring) timer?.unref()
  }

  return {
    add(at, item) {
      const deadline = { at, item, previous: ring.previous, next: ring }
      ring.previous.next = deadline
      ring.previous = deadline
      if (at < armedFor) arm(at)
      else if (holds) timer?.ref()
      return deadline
    },
    remove,
  }
}
