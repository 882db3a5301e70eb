import { median, spread } from './statistics.mjs'

/** @typedef {import('../types.ts').CaseResult} CaseResult */
/** @typedef {import('../types.ts').Figure} Figure */

/** A Markdown table. @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

/**
 * The table of one backend: Millrace, and beside it every other system with Millrace's ratio to it.
 *
 * @param {readonly CaseResult[]} results
 */
export function toTable(results) {
  const others = [...new Set(results.flatMap(({ systems }) => [...systems.keys()].slice(1)))]
  const head = ['', 'Millrace', '±', ...others.flatMap((name) => [name, '±', 'ratio']), 'aim']
  return table(
    head,
    results.flatMap((result) => rowsOf(result, others)),
  )
}

/** @param {CaseResult} result @param {readonly string[]} others */
function rowsOf({ backend, case: item, systems }, others) {
  const [own = {}] = systems.values()
  return Object.entries(item.figures).flatMap(([key, figure]) => {
    const mine = own[key] ?? []
    if (mine.length === 0) return []
    const cells = others.flatMap((name) => {
      const theirs = systems.get(name)?.[key] ?? []
      return theirs.length === 0 ? ['', '', ''] : [...cellsOf(theirs, figure), round(ratio(mine, theirs))]
    })
    return [
      [
        `${figure.title}, ${figure.unit}`,
        ...cellsOf(mine, figure),
        ...cells,
        aimOf(figure, backend, systems, key),
      ],
    ]
  })
}

/** @param {readonly number[]} samples @param {Figure} figure */
const cellsOf = (samples, { unit }) => {
  const middle = median(samples)
  return [`${round(middle)}${unit === '×' ? '×' : ''}`, `${Math.round(spread(samples) * 100)} %`]
}

/** Of pairs of one round, so that what slowed both cancels out. @param {readonly number[]} mine @param {readonly number[]} theirs */
const ratio = (mine, theirs) => median(mine.map((value, i) => value / (theirs[i] ?? Number.NaN)))

/** @param {Figure} figure @param {string} backend @param {CaseResult['systems']} systems @param {string} key */
function aimOf({ aim, better }, backend, systems, key) {
  const wanted = aim?.[backend]
  const [mine = {}] = systems.values()
  if (!wanted) return ''
  const { at, ratio: share, to = '' } = wanted
  if (at === undefined && !systems.has(to))
    return `${better === 'more' ? '≥' : '≤'} ${share} of ${to}: not measured`
  const got =
    at === undefined ? ratio(mine[key] ?? [], systems.get(to)?.[key] ?? []) : median(mine[key] ?? [])
  const goal = at ?? share ?? 0
  const met = better === 'more' ? got >= goal : got <= goal
  return `${better === 'more' ? '≥' : '≤'} ${goal}${at === undefined ? ` of ${to}` : ''}: ${met ? 'met' : 'missed'}`
}

/** Three digits that count. @param {number} value */
export function round(value) {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1000) return Number(value.toPrecision(3)).toLocaleString('en')
  return String(Number(value.toPrecision(size < 10 ? 2 : 3)))
}
