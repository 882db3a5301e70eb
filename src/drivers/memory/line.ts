import { MAX_PRIORITY } from '../../port/index.ts'
import { Heap } from './heap.ts'
import type { Row } from './row.ts'

/**
 * The waiting jobs of one queue: by priority, then by place. Jobs that left the line some other way than by
 * `next` (cancelled, expired) stay in it as stale entries, known by their place, and are passed over.
 */
export class Line {
  readonly #levels = Array.from({ length: MAX_PRIORITY + 1 }, () => new Level())
  #top = 0

  push(row: Row): void {
    this.#levels[row.job.priority]!.push(row)
    if (row.job.priority > this.#top) this.#top = row.job.priority
  }

  /** Back to where it was: the places before it are gone, so that is the front. */
  putBack(row: Row): void {
    this.#levels[row.job.priority]!.returned.push(row.place, row)
    if (row.job.priority > this.#top) this.#top = row.job.priority
  }

  /** Remove and return the next row that waits and that `admits` admits. */
  next(admits: (row: Row) => boolean): Row | undefined {
    for (let priority = this.#top; priority >= 0; priority--) {
      const row = this.#levels[priority]!.next(admits)
      if (row) return row
      if (priority === this.#top && priority > 0 && this.#levels[priority]!.empty) this.#top--
    }
    return undefined
  }
}

class Level {
  #queue: { row: Row; place: number }[] = []
  #head = 0
  readonly returned = new Heap<Row>()

  get empty(): boolean {
    return this.#head === this.#queue.length && this.returned.size === 0
  }

  push(row: Row): void {
    this.#queue.push({ row, place: row.place })
  }

  next(admits: (row: Row) => boolean): Row | undefined {
    const refused: Row[] = []
    let found: Row | undefined
    while (!found) {
      const row = this.#first()
      if (!row) break
      if (admits(row)) found = row
      else refused.push(row)
    }
    for (const row of refused) this.returned.push(row.place, row)
    return found
  }

  #first(): Row | undefined {
    for (;;) {
      const back = this.returned.peek()
      const front = this.#queue[this.#head]
      if (!back && !front) return undefined
      if (back && (!front || back.key < front.place)) {
        const row = this.returned.pop()!
        if (row.state === 'waiting' && row.place === back.key) return row
      } else {
        const { row, place } = this.#shift()
        if (row.state === 'waiting' && row.place === place) return row
      }
    }
  }

  #shift(): { row: Row; place: number } {
    const entry = this.#queue[this.#head++]!
    // Cutting the spent half off now and then keeps shifting constant in time and the array in bounds.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return entry
  }
}
