import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cron, every, lastUntil, ruleOf } from '../../src/core/recurrence.ts'
import {
  begin,
  type Course,
  dueOf,
  type Entry,
  firingId,
  HISTORY,
  MARKER,
  MOST_MISSED,
  type Plan,
  packStored,
  pause,
  replan,
  resume,
  runNow,
  step,
  unpackStored,
  upcoming,
  workOf,
} from '../../src/core/schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A full hour. */
const NOON = Date.parse('2026-03-28T12:00Z')

const plan = (options: Partial<Plan> = {}): Plan => ({
  rule: ruleOf(every('10m')),
  work: JSON.stringify({ jobs: [{ id: MARKER }] }),
  title: 'sums',
  missed: 'latest',
  overlap: 'allow',
  ...options,
})

/** A schedule that was defined just after noon, so that it is due at ten past. */
const stored = (options: Partial<Plan> = {}, course: Partial<Course> = {}) => {
  const made = plan(options)
  return { plan: made, course: { ...begin(made, NOON), ...course } }
}

const minutes = (due: number | undefined) => due && (due - NOON) / MINUTE
const look = (at: ReturnType<typeof stored>, minute: number, busy = false) => {
  const { course, fire, hold, missed } = step('s', at, NOON + minute * MINUTE, busy)
  return {
    next: minutes(course.next),
    fire: fire && minutes(Date.parse(fire.slice(2))),
    hold: minutes(hold),
    missed,
    history: course.history.map(({ due, skipped, count }) => [minutes(due), skipped ?? 'fired', count ?? 1]),
  }
}

describe('a due time that is seen to', () => {
  test.each(['skip', 'latest', 'all'] as const)('in time is fired (missed: %s)', (missed) => {
    const expected = { fire: 10, next: 20, history: [[10, 'fired', 1]] }
    expect(look(stored({ missed }), 10)).toMatchObject(expected)
    expect(look(stored({ missed }), 11)).toMatchObject(expected)
  })

  test('late is fired, left out or one of several, by policy', () => {
    expect(look(stored({ missed: 'latest' }), 75)).toMatchObject({
      fire: 70,
      next: 80,
      missed: 6,
      history: [
        [60, 'missed', 6],
        [70, 'fired', 1],
      ],
    })
    const skipped = look(stored({ missed: 'skip' }), 75)
    expect(skipped).toMatchObject({ next: 80, missed: 7, history: [[70, 'missed', 7]] })
    expect(skipped.fire).toBeUndefined()
    const all = look(stored({ missed: 'all' }), 75)
    expect(all).toMatchObject({ fire: 10, next: 20, history: [[10, 'fired', 1]] })
    expect(all.missed).toBeUndefined()
  })

  test('with missed: skip, is fired though others before it were missed', () => {
    expect(look(stored({ missed: 'skip' }), 70.5)).toMatchObject({
      fire: 70,
      missed: 6,
      history: [
        [60, 'missed', 6],
        [70, 'fired', 1],
      ],
    })
  })

  test(`of more than ${MOST_MISSED}, the last ${MOST_MISSED} count`, () => {
    const year = 365 * 24 * 60
    expect(look(stored({ missed: 'all' }), year)).toMatchObject({ fire: year - 990, next: year - 980 })
    expect(look(stored({ missed: 'latest' }), year)).toMatchObject({ fire: year, missed: 99 })
  })

  test('before it is due, leaves all as it is', () => {
    const early = stored()
    expect(step('s', early, NOON + 9 * MINUTE, false)).toEqual({ course: early.course })
  })

  test('once it is over, changes nothing', () => {
    const { next: _, ...course } = begin(plan(), NOON)
    expect(step('s', { plan: plan(), course }, NOON + HOUR, false)).toEqual({ course })
  })
})

describe('while the last firing’s work goes on', () => {
  const last = firingId('s', NOON)

  test('overlap: allow fires', () => {
    expect(look(stored({}, { last }), 10, true)).toMatchObject({ fire: 10, next: 20 })
  })

  test('overlap: skip leaves out what is due, and counts it', () => {
    expect(look(stored({ overlap: 'skip' }, { last }), 10, true)).toMatchObject({
      fire: undefined,
      next: 20,
      history: [[10, 'overlap', 1]],
    })
    expect(look(stored({ overlap: 'skip' }, { last }), 35, true).history).toEqual([[30, 'overlap', 3]])
    const all = look(stored({ overlap: 'skip', missed: 'all' }, { last }), 35, true)
    expect(all).toMatchObject({ next: 20, history: [[10, 'overlap', 1]] })
  })

  test.each(['skip', 'latest'] as const)(
    'overlap: queue fires the last once it has ended (missed: %s)',
    (missed) => {
      const queued = stored({ overlap: 'queue', missed }, { last })
      const held = step('s', queued, NOON + 10 * MINUTE, true)
      expect(held).toMatchObject({
        hold: NOON + 10 * MINUTE + 1000,
        course: { ...queued.course, held: true },
      })
      const after = look({ ...queued, course: held.course }, 35)
      expect(after).toMatchObject({
        fire: 30,
        next: 40,
        history: [
          [20, 'overlap', 2],
          [30, 'fired', 1],
        ],
      })
      // A worker was there all the time.
      expect(after.missed).toBeUndefined()
      expect(
        step('s', { ...queued, course: held.course }, NOON + 35 * MINUTE, false).course.held,
      ).toBeUndefined()
    },
  )

  test('overlap: queue with missed: all fires each, in order', () => {
    const queued = stored({ overlap: 'queue', missed: 'all' }, { last })
    const { course } = step('s', queued, NOON + 25 * MINUTE, true)
    expect(look({ ...queued, course }, 25)).toMatchObject({ fire: 10, next: 20 })
  })
})

describe('a plan', () => {
  test('begins after now, or at its start', () => {
    expect(minutes(begin(plan(), NOON + 1).next)).toBe(10)
    expect(minutes(begin(plan({ start: NOON + HOUR }), NOON).next)).toBe(60)
    expect(minutes(begin(plan({ start: NOON + HOUR + 1 }), NOON).next)).toBe(70)
  })

  test('ends with its end, which is included, or its limit', () => {
    expect(begin(plan({ end: NOON + 9 * MINUTE }), NOON).next).toBeUndefined()
    expect(look(stored({ end: NOON + 10 * MINUTE }), 10)).toMatchObject({ fire: 10, next: undefined })
    expect(look(stored({ end: NOON + 25 * MINUTE }), 60)).toMatchObject({
      fire: 20,
      next: undefined,
      missed: 1,
    })
    expect(look(stored({ limit: 2 }, { fired: 1 }), 10)).toMatchObject({ fire: 10, next: undefined })
    expect(look(stored({ limit: 3 }, { fired: 1 }), 10)).toMatchObject({ fire: 10, next: 20 })
    expect(upcoming(plan({ limit: 3 }), { ...begin(plan(), NOON), fired: 1 }, NOON, 9)).toHaveLength(2)
  })

  test('another keeps the pause, the history and the last firing, and counts anew', () => {
    const { course } = runNow('s', begin(plan(), NOON), plan(), NOON + 5)
    const other = plan({ rule: ruleOf(cron('0 15 * * *')) })
    expect(replan(pause(course), other, NOON)).toMatchObject({
      paused: true,
      fired: 0,
      last: course.last,
      history: course.history,
      next: NOON + 3 * HOUR,
    })
  })

  test('paused is not looked at; resumed it goes on from then, and misses nothing', () => {
    const at = { plan: plan(), course: pause(begin(plan(), NOON)) }
    expect(dueOf('s', at)).toBeUndefined()
    const course = resume({ ...at.course, held: true }, at.plan, NOON + 35 * MINUTE)
    expect(course).toEqual({ paused: false, fired: 0, history: [], next: NOON + 40 * MINUTE })
    const over = plan({ limit: 1 })
    expect(resume({ ...at.course, fired: 1 }, over, NOON).next).toBeUndefined()
  })

  test('run by hand twice in a millisecond has two ids, and its times stay', () => {
    const first = runNow('s', begin(plan(), NOON), plan(), NOON + 5)
    const second = runNow('s', first.course, plan(), NOON + 5)
    expect([first.id, second.id]).toEqual(['s@2026-03-28T12:00:00.005Z', 's@2026-03-28T12:00:00.006Z'])
    expect(second.course).toMatchObject({ fired: 2, next: NOON + 10 * MINUTE, last: second.id })
  })

  test('puts the id of a firing in the place of its mark', () => {
    expect(workOf(plan(), 's "1"@x')).toEqual({ jobs: [{ id: 's "1"@x' }] })
  })

  test('is stored and read as it was', () => {
    const at = stored({ jitter: 5, limit: 3 })
    expect(unpackStored(packStored(at))).toEqual(at)
  })

  test(`keeps the latest ${HISTORY} entries`, () => {
    let at = stored({ missed: 'all' })
    for (let i = 0; i < HISTORY + 5; i++)
      at = { ...at, course: step('s', at, NOON + 10 * HOUR, false).course }
    expect(at.course.history).toHaveLength(HISTORY)
    expect(minutes(at.course.history.at(-1)!.due)).toBe((HISTORY + 5) * 10)
  })
})

describe('jitter', () => {
  test('makes a firing later, by the same for the same name and time', () => {
    const at = stored({ jitter: 5 * MINUTE })
    const late = ['a', 'b', 'c', 'd', 'e'].map((name) => dueOf(name, at)! - at.course.next!)
    expect(late).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => dueOf(name, at)! - at.course.next!))
    expect(new Set(late).size).toBeGreaterThan(3)
    expect(Math.max(...late)).toBeLessThanOrEqual(5 * MINUTE)
  })

  test('never reaches into the next due time', () => {
    const at = stored({ jitter: 9 * HOUR })
    for (let i = 0; i < 50; i++) expect(dueOf(`${i}`, at)! - at.course.next!).toBeLessThan(10 * MINUTE)
  })
})

/** Looks at it at random times, with the last firing's work going on or not: what became of every due time. */
const life = fc.record({
  missed: fc.constantFrom('skip' as const, 'latest' as const, 'all' as const),
  overlap: fc.constantFrom('allow' as const, 'skip' as const, 'queue' as const),
  rule: fc
    .constantFrom(every('10m'), every('7m'), cron('*/15 * * * *', { timezone: 'Europe/Berlin' }))
    .map(ruleOf),
  limit: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  end: fc.option(fc.integer({ min: 1, max: 600 }), { nil: undefined }),
  jitter: fc.option(fc.integer({ min: 1, max: 20 * MINUTE }), { nil: undefined }),
  looks: fc.array(fc.record({ after: fc.integer({ min: 1, max: 15 * MINUTE }), busy: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  }),
})

test('every due time is fired or left out, once, in order, and by the policy', () => {
  fc.assert(
    fc.property(life, ({ looks, limit, end, jitter, ...rest }) => {
      const made = plan({
        ...rest,
        ...(limit !== undefined && { limit }),
        ...(end !== undefined && { end: NOON + end * MINUTE }),
        ...(jitter !== undefined && { jitter }),
      })
      let course = begin(made, NOON)
      let now = NOON
      let again = 0
      const entries: Entry[] = []
      const fired: string[] = []
      for (const { after, busy } of looks) {
        now += after
        // As a worker does: until nothing is due, or it is held.
        for (let due = dueOf('s', { plan: made, course }); due !== undefined && due <= now; ) {
          const {
            course: next,
            fire,
            hold,
          } = step('s', { plan: made, course }, now, busy && course.last !== undefined)
          const known = new Set(course.history)
          const fresh = next.history.filter((entry) => !known.has(entry))
          entries.push(...fresh)
          if (fire !== undefined) fired.push(fire)
          for (const entry of fresh) {
            if (entry.skipped === 'missed') expect(made.missed).not.toBe('all')
            if (entry.skipped === 'overlap') expect(made.overlap).not.toBe('allow')
            if (entry.id && made.missed === 'skip' && made.overlap !== 'queue') {
              expect(entry.at - entry.due).toBeLessThanOrEqual(MINUTE + (jitter ?? 0))
            }
          }
          course = next
          if (hold !== undefined) break
          expect(++again).toBeLessThan(5_000)
          due = dueOf('s', { plan: made, course })
        }
      }
      expect(fired).toEqual(entries.flatMap(({ id }) => id ?? []))
      expect(new Set(fired).size).toBe(fired.length)
      expect(course.fired).toBe(fired.length)
      expect(fired.length).toBeLessThanOrEqual(limit ?? Number.POSITIVE_INFINITY)
      const passed = lastUntil(made.rule, NOON + 1, entries.at(-1)?.due ?? NOON, 10_000)
      expect(entries.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(passed.length)
      expect(entries.every(({ due }) => passed.includes(due))).toBe(true)
      // What is left is later.
      if (course.next !== undefined) expect(course.next).toBeGreaterThan(passed.at(-1) ?? NOON)
    }),
    { numRuns: 300, seed: 1 },
  )
})
