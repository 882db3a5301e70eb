/**
 * The known name that a mistyped one most likely meant, or `undefined` when none is near: at most one edit
 * per three letters, where an edit adds, drops, changes or swaps neighbouring letters, whatever their case.
 */
export function nearest(given: string, known: readonly string[]): string | undefined {
  if (given.length > 60) return undefined
  let best: string | undefined
  let least = Math.max(1, Math.floor(given.length / 3)) + 1
  for (const name of known) {
    const edits = distance(given.toLowerCase(), name.toLowerCase())
    if (edits < least) {
      least = edits
      best = name
    }
  }
  return best
}

/** Optimal string alignment: Levenshtein's distance with swaps of neighbours, by three rows. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, before[j - 2]! + 1)
      }
      row.push(edits)
    }
    before = above
    above = row
  }
  return above[b.length]!
}
