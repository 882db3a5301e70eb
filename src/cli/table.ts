import { cut, visible, width } from './text.ts'

export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string
  /** Numbers stand at the right. */
  readonly right?: boolean
  /** The least columns it may be cut to; it is never cut when left out. */
  readonly least?: number
  readonly paint?: (text: string, row: Row) => string
}

const GAP = 2

/**
 * Rows under titles, cut to fit `columns`. The widest are cut first, to their `least`; if that is not enough,
 * the last ones are left out. Without `columns` nothing is cut, since no terminal shows it.
 */
export function table<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  columns: number | undefined,
  title: (text: string) => string,
): string {
  const cells = rows.map((row) => all.map(({ of }) => visible(of(row))))
  const natural = all.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => width(row[i]!))))
  const widths = share(all, natural, columns ?? Number.POSITIVE_INFINITY)
  const line = (texts: readonly string[], paint: (text: string, i: number) => string) =>
    widths
      .map((size, i) => {
        const text = cut(texts[i]!, size)
        const space = ' '.repeat(size - width(text))
        const last = i === widths.length - 1
        return all[i]!.right ? space + paint(text, i) : paint(text, i) + (last ? '' : space)
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  const head = line(
    all.map(({ title }) => title),
    title,
  )
  const body = cells.map((texts, at) => line(texts, (text, i) => all[i]!.paint?.(text, rows[at]!) ?? text))
  return [head, ...body].join('\n')
}

/** A width for each column that is shown. */
function share<Row>(all: readonly Column<Row>[], natural: readonly number[], columns: number): number[] {
  const least = all.map((column, i) => Math.min(natural[i]!, column.least ?? natural[i]!))
  let shown = all.length
  while (shown > 1 && total(least.slice(0, shown)) > columns) shown--
  const widths = natural.slice(0, shown)
  for (let over = total(widths) - columns; over > 0; over--) {
    const widest = widths.reduce((best, size, i) => {
      if (size <= least[i]!) return best
      return best < 0 || size > widths[best]! ? i : best
    }, -1)
    if (widest < 0) break
    widths[widest]!--
  }
  // A single column that is wider than the terminal.
  if (shown === 1) widths[0] = Math.min(widths[0]!, columns)
  return widths
}

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, size) => sum + size, 0) + GAP * (widths.length - 1)
