/** A binary min-heap by a number that is fixed at the push. Entries are removed lazily by their owner. */
export class Heap<T> {
  readonly #items: { key: number; value: T }[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): { readonly key: number; readonly value: T } | undefined {
    return this.#items[0]
  }

  push(key: number, value: T): void {
    const items = this.#items
    let at = items.length
    items.push({ key, value })
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]!.key <= key) break
      items[at] = items[parent]!
      items[parent] = { key, value }
      at = parent
    }
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (!top || !last || items.length === 0) return top?.value
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]!.key < items[child]!.key) child++
      if (items[child]!.key >= last.key) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return top.value
  }
}
