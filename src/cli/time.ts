const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/** A length of time for people, by its two greatest units: `2h5m`, `3.4s`, `120ms`. */
export function span(ms: number): string {
  const length = Math.max(0, Math.round(ms))
  if (length < 1000) return `${length}ms`
  if (length < 10_000) return `${(Math.floor(length / 100) / 10).toString()}s`
  const at = UNITS.findIndex(([, unit]) => length >= unit)
  const [name, unit] = UNITS[at]!
  const [next, lesser] = UNITS[at + 1] ?? ['', 1]
  const rest = next === '' ? 0 : Math.floor((length % unit) / lesser)
  return `${Math.floor(length / unit)}${name}${rest > 0 ? `${rest}${next}` : ''}`
}

/** How long ago, or in how long: `3m ago`, `in 5s`. */
export function age(time: Date, now: number): string {
  const passed = now - time.getTime()
  if (Math.abs(passed) < 1000) return 'now'
  return passed > 0 ? `${span(passed)} ago` : `in ${span(-passed)}`
}

/** A time by the clock of whoever reads it: `2026-11-22 12:46:05`. */
export function local(time: Date): string {
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${clock(time)}`
}

/** The time of day: `12:46:05`. */
export const clock = (time: Date): string =>
  [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')

/** A time by the clock of a zone, in words: `Mon 23 Nov 2026 03:00 Europe/Paris`. */
export function inZone(time: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(time.getTime() % 60_000 !== 0 && { second: '2-digit' }),
  })
  return `${format.format(time).replaceAll(',', '')} ${timeZone}`
}

/** Both: `2026-11-22 12:46:05 (3m ago)`. */
export const when = (time: Date, now: number): string => `${local(time)} (${age(time, now)})`
