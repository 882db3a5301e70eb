import { describe, expect, test } from 'vitest'
import { cron, every, lastUntil, nextAfter, ruleOf, ruleText } from '../../src/core/recurrence.ts'
import { UsageError } from '../../src/errors.ts'
import { type Clock, clock } from './clock.ts'

const SECOND = 1_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const FROM = Date.parse('2026-01-01T00:00Z')
const TO = Date.parse('2028-01-01T00:00Z')

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']

/** What the clock on a wall shows, and the calendar beside it. */
interface Time {
  readonly second: number
  readonly minute: number
  readonly hour: number
}
interface Day {
  readonly day: number
  readonly month: number
  readonly weekday: number
  readonly lastDay: number
}
/** A pattern, and by hand what it says of times and of days. */
type Row = readonly [pattern: string, time: (time: Time) => boolean, day?: (day: Day) => boolean]

const at = (hour: number, minute: number, second?: number) => (time: Time) =>
  time.hour === hour && time.minute === minute && (second === undefined || time.second === second)

/** One value in seconds, minutes and hours. Berlin and New York change at 2:00 or 3:00, Lord Howe by half an hour. */
const FIXED: readonly Row[] = [
  ['30 2 * * *', at(2, 30)],
  ['0 2 * * *', at(2, 0)],
  ['59 2 * * *', at(2, 59)],
  ['15 2 * * *', at(2, 15)],
  ['29 2 * * *', at(2, 29)],
  ['0 3 * * *', at(3, 0)],
  ['30 1 * * *', at(1, 30)],
  ['45 1 * * *', at(1, 45)],
  ['@daily', at(0, 0)],
  ['30 2 * * SUN', at(2, 30), ({ weekday }) => weekday === 0],
  ['30 2 * * MON-FRI', at(2, 30), ({ weekday }) => weekday >= 1 && weekday <= 5],
  ['15 2 L * *', at(2, 15), ({ day, lastDay }) => day === lastDay],
  ['30 2 8,29 3 *', at(2, 30), ({ day, month }) => month === 3 && (day === 8 || day === 29)],
  // Both days given: either will do.
  ['30 2 1 * SUN', at(2, 30), ({ day, weekday }) => day === 1 || weekday === 0],
  [
    '30 1 13 10,11 FRI',
    at(1, 30),
    ({ day, month, weekday }) => (month === 10 || month === 11) && (day === 13 || weekday === 5),
  ],
  ['15 2 * * SUN#1', at(2, 15), ({ day, weekday }) => weekday === 0 && day <= 7],
  ['15 2 * * 0L', at(2, 15), ({ day, weekday, lastDay }) => weekday === 0 && day > lastDay - 7],
]

const named = (rows: readonly Row[]) => rows.map((row) => ({ pattern: row[0], row }))

/** Lists, ranges and steps. */
const REPEATED: readonly Row[] = [
  ['0,30 2 * * *', ({ hour, minute }) => hour === 2 && minute % 30 === 0],
  ['15,45 1,2 * * *', ({ hour, minute }) => (hour === 1 || hour === 2) && (minute === 15 || minute === 45)],
  ['*/20 2 * * *', ({ hour, minute }) => hour === 2 && minute % 20 === 0],
  ['30 1-3 * * *', ({ hour, minute }) => hour >= 1 && hour <= 3 && minute === 30],
  ['30 */2 * * *', ({ hour, minute }) => hour % 2 === 0 && minute === 30],
  ['0 2,14 * * *', ({ hour, minute }) => (hour === 2 || hour === 14) && minute === 0],
  ['5 * * * SUN', ({ minute }) => minute === 5, ({ weekday }) => weekday === 0],
  [
    '10-12 2 L * *',
    ({ hour, minute }) => hour === 2 && minute >= 10 && minute <= 12,
    ({ day, lastDay }) => day === lastDay,
  ],
]

/** Those that come too often to be asked for through two years. */
const OFTEN: readonly Row[] = [
  ['* * * * *', () => true],
  ['*/15 * * * *', ({ minute }) => minute % 15 === 0],
  ['0 * * * *', ({ minute }) => minute === 0],
  ['* 2 * * *', ({ hour }) => hour === 2],
  ['7-50/11 1-2 * * *', ({ hour, minute }) => (hour === 1 || hour === 2) && [7, 18, 29, 40].includes(minute)],
]

const SIX_FIXED: readonly Row[] = [
  ['45 30 2 * * *', at(2, 30, 45)],
  ['59 59 1 * * *', at(1, 59, 59)],
]
const SIX_REPEATED: readonly Row[] = [
  ['*/20 * * * * *', ({ second }) => second % 20 === 0],
  [
    '10,50 30 2 * * *',
    ({ hour, minute, second }) => hour === 2 && minute === 30 && (second === 10 || second === 50),
  ],
  ['0 15 * * * *', ({ minute, second }) => minute === 15 && second === 0],
]

/**
 * The stated rules, told from what the clock of the zone shows, instant by instant. A repeated time is due whenever
 * the clock shows it. A fixed time is due when the clock shows it first; if the clock skips it, when the clock goes
 * on, on the same day.
 */
function dues({ from, unit, shown }: Clock, [, time, day = () => true]: Row, fixed: boolean): number[] {
  const found: number[] = []
  const perDay = DAY / unit
  const times = Uint8Array.from({ length: perDay }, (_, i) => Number(time(timeOf((i * unit) / SECOND))))
  const is = (count: number) => times[count % perDay] === 1 && day(dayOf(Math.floor(count / perDay)))
  const sameDay = (a: number, b: number) => Math.floor(a / perDay) === Math.floor(b / perDay)
  let highest = shown[0]!
  for (let i = 1; i < shown.length; i++) {
    const now = shown[i]!
    let late = false
    for (let skipped = shown[i - 1]! + 1; fixed && skipped < now; skipped++) {
      late ||= is(skipped) && sameDay(skipped, now)
    }
    if (late || (is(now) && !(fixed && now <= highest))) found.push(from + i * unit)
    highest = Math.max(highest, now)
  }
  return found
}

const timeOf = (second: number): Time => ({
  second: second % 60,
  minute: Math.floor(second / 60) % 60,
  hour: Math.floor(second / 3600),
})

function dayOf(count: number): Day {
  const date = new Date(count * DAY)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  return { day: date.getUTCDate(), month: date.getUTCMonth() + 1, weekday: date.getUTCDay(), lastDay }
}

function walk(pattern: string, timezone: string, from: number, to: number): number[] {
  const rule = ruleOf(cron(pattern, { timezone }))
  const found: number[] = []
  for (let due = nextAfter(rule, from); due !== undefined && due < to; due = nextAfter(rule, due))
    found.push(due)
  return found
}

const text = (all: readonly number[]) => all.map((due) => new Date(due).toISOString())

describe.each(ZONES)('in %s', (zone) => {
  const years = clock(zone, FROM, TO, MINUTE)
  const changes = [...years.shown.keys()]
    .filter((i) => i > 0 && years.shown[i] !== years.shown[i - 1]! + 1)
    .map((i) => FROM + i * MINUTE)
  const around = changes.map((change) => clock(zone, change - DAY, change + DAY, MINUTE))
  const close = changes.map((change) => clock(zone, change - 2 * HOUR, change + 2 * HOUR, SECOND))

  function agrees(row: Row, fixed: boolean, clocks: readonly Clock[]): void {
    for (const each of clocks) {
      const { from, unit, shown } = each
      const expected = dues(each, row, fixed)
      expect(text(walk(row[0], zone, from, from + shown.length * unit))).toEqual(text(expected))
    }
  }

  test('the clock changes twice a year', () => {
    expect(changes).toHaveLength(4)
  })

  test.each(named(FIXED))('$pattern is due once a day, through two years', ({ row }) =>
    agrees(row, true, [years]),
  )
  test.each(named(REPEATED))('$pattern is due when the clock shows it, through two years', ({ row }) =>
    agrees(row, false, [years]),
  )
  test.each(named(OFTEN))('$pattern is due when the clock shows it, around its changes', ({ row }) =>
    agrees(row, false, around),
  )
  test.each(named(SIX_FIXED))('$pattern is due once a day, to the second', ({ row }) =>
    agrees(row, true, close),
  )
  test.each(named(SIX_REPEATED))('$pattern is due when the clock shows it, to the second', ({ row }) =>
    agrees(row, false, close),
  )

  test('the next due time is the same from wherever it is asked, and so are the last ones', () => {
    const random = randomFrom(1)
    for (const [pattern] of [...FIXED, ...REPEATED, ...OFTEN, ...SIX_FIXED, ...SIX_REPEATED]) {
      const rule = ruleOf(cron(pattern, { timezone: zone }))
      for (const change of changes.slice(0, 2)) {
        // Every twentieth second would be thousands; those around the change are enough.
        const often = nextAfter(rule, change + DAY)! - change < DAY + MINUTE
        const span = often ? HOUR : 5 * DAY
        const all = walk(pattern, zone, change - span, change + span)
        for (let i = 0; i < 8; i++) {
          const until = change + Math.round((random() - 0.5) * span)
          expect(nextAfter(rule, until)).toBe(
            all.find((due) => due > until) ?? nextAfter(rule, change + span - 1),
          )
          const from = until - Math.floor((random() * span) / 2)
          const most = 1 + Math.floor(random() * 6)
          const expected = all.filter((due) => due >= from && due <= until).slice(-most)
          expect(text(lastUntil(rule, from, until, most))).toEqual(text(expected))
        }
      }
    }
  })
})

describe('by a cron expression', () => {
  test('what comes true once in years is found', () => {
    const rule = ruleOf(cron('0 0 29 2 *'))
    expect(nextAfter(rule, FROM)).toBe(Date.parse('2028-02-29T00:00Z'))
    expect(text(lastUntil(rule, FROM, Date.parse('2040-01-01'), 2))).toEqual([
      '2032-02-29T00:00:00.000Z',
      '2036-02-29T00:00:00.000Z',
    ])
  })

  test('of a gap of years, no more is looked at than is asked for', () => {
    const rule = ruleOf(cron('* * * * *'))
    const last = lastUntil(rule, 0, FROM, 100)
    expect(last).toHaveLength(100)
    expect([last[0], last[99]]).toEqual([FROM - 99 * MINUTE, FROM])
  })

  test('an expression is told with its zone, and spaces make no difference', () => {
    expect(ruleOf(cron(' 0  3 * *\t* ', { timezone: 'Europe/Paris' }))).toEqual({
      kind: 'cron',
      pattern: '0 3 * * *',
      timezone: 'Europe/Paris',
    })
    expect(ruleText(ruleOf(cron('0 3 * * *')))).toBe('0 3 * * * (UTC)')
  })

  test.each([
    '',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    'a b c d e',
    '2026-01-01T00:00:00',
    '0 0 31 2 *',
    '@reboot',
    '5/10 * * * *',
    '* '.repeat(200),
  ])('%j is refused', (pattern) => {
    expect(() => cron(pattern)).toThrow(UsageError)
  })

  test.each(['', 'Mars/Olympus', 5])('the zone %j is refused', (timezone) => {
    expect(() => cron('0 3 * * *', { timezone: timezone as string })).toThrow(/time zone/)
  })
})

describe('at intervals', () => {
  const rule = ruleOf(every('15m'))

  test('it is due at multiples of the interval, by the clock of 1970', () => {
    expect(nextAfter(rule, FROM)).toBe(FROM + 15 * MINUTE)
    expect(nextAfter(rule, FROM - 1)).toBe(FROM)
    expect(nextAfter(ruleOf(every('7m')), FROM)! % (7 * MINUTE)).toBe(0)
  })

  test('the last due times are those until then, both ends included', () => {
    expect(lastUntil(rule, FROM, FROM + HOUR, 9)).toEqual(
      [0, 15, 30, 45, 60].map((min) => FROM + min * MINUTE),
    )
    expect(lastUntil(rule, FROM, FROM + HOUR, 2)).toEqual([FROM + 45 * MINUTE, FROM + HOUR])
    expect(lastUntil(rule, FROM + 1, FROM + 2, 2)).toEqual([])
  })

  test('less than a second is refused', () => {
    expect(() => every(999)).toThrow(/at least a second/)
    expect(ruleText(ruleOf(every('1s')))).toBe('every 1s')
  })

  test.each([undefined, null, '5m', 5, {}])('%j is no recurrence', (value) => {
    expect(() => ruleOf(value)).toThrow(/recurrence/)
  })
})

/** Numbers from 0 to 1, the same at every run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
