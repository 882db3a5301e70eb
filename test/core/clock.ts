/** What the clock on the wall showed, instant by instant. */
export interface Clock {
  readonly from: number
  readonly unit: number
  /** In units since 1970, as if the zone were UTC. */
  readonly shown: Int32Array
}

/** Walks from `from` to `to`, asking `Intl` at each step. */
export function clock(timeZone: string, from: number, to: number, unit: number): Clock {
  const digits = '2-digit'
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    second: digits,
  })
  const shown = Int32Array.from({ length: (to - from) / unit }, (_, i) => {
    const then = from + i * unit
    return Date.parse(`${format.format(then).replace(' ', 'T')}Z`) / unit
  })
  return { from, unit, shown }
}
