import { closeSync, openSync, utimesSync } from 'node:fs'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { deviation, fileClock, isJump } from '../../src/drivers/sqlite/clock.ts'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import { openStore } from '../../src/drivers/sqlite/store.ts'
import { check } from '../../src/drivers/sqlite/url.ts'
import { ensure } from '../setup/system.ts'
import { consume, submission, testFolder } from './folder.ts'
import { startProcess } from './process.ts'

const { fresh } = testFolder()

describe('what a process adds to its own clock', () => {
  const own = 1_800_000_000_000
  const stamp = (ms: number) => BigInt(own + ms) * 1_000_000n + 123n
  test.each([
    [0, 0],
    [-4, 0],
    [999, 0],
    [-999, 0],
    [1500, 1500],
    [-1500, -1500],
    [3_600_000, 3_600_000],
    [-3_600_000, -3_600_000],
  ])('%d ms from the stamp of a file: %d', (off, added) => {
    expect(deviation(stamp(off), own)).toBe(added)
  })

  test('a file system that keeps whole seconds only is given more room', () => {
    expect(deviation(BigInt(own - 2000) * 1_000_000n, own)).toBe(0)
    expect(deviation(BigInt(own - 4000) * 1_000_000n, own)).toBe(-4000)
  })
})

test('a right clock is left as it is', () => {
  const path = fresh()
  closeSync(openSync(path, 'w'))
  const clock = fileClock(path)
  expect(clock.correction).toBe(0)
  // What the file said before doesn't count, only a stamp of just now.
  utimesSync(`${path}-clock`, 1000, 1000)
  clock.calibrate()
  expect(clock.correction).toBe(0)
  clock.close()
})

describe('a clock that was set, or a machine that slept', () => {
  test.each([
    [1000, 1000, false],
    [2900, 1000, false],
    [0, 1000, false],
    [3_601_000, 1000, true],
    [-3_599_000, 1000, true],
    [60_000, 60_000, false],
  ])('%d ms on the clock in %d ms: %j', (time, elapsed, expected) => {
    expect(isJump({ time: 5000, elapsed: 70 }, { time: 5000 + time, elapsed: 70 + elapsed })).toBe(expected)
  })

  test('a lease given before the clock was set back lasts no longer than one given now', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await using _ = await consume(backend, 'wheel')
    const store = await openStore(check({ path }))
    store.connection.db.exec('UPDATE workers SET expires = expires + 3600000')
    await backend.sweep(1)
    const [{ expires } = { expires: 0 }] = await backend.records.workers()
    expect(expires - Date.now()).toBeLessThan(16_000)
    await store.close()
  })
})

test('a comparison that was held up for long says nothing', () => {
  const path = fresh()
  closeSync(openSync(path, 'w'))
  const clock = fileClock(path)
  let held = 0
  const [wall, steady] = [Date.now, performance.now.bind(performance)]
  // As if the process were stopped between the stamp and the look at its own clock.
  vi.spyOn(performance, 'now').mockImplementation(() => steady() + held)
  vi.spyOn(Date, 'now').mockImplementation(() => {
    held = 5000
    return wall() + held
  })
  clock.calibrate()
  vi.restoreAllMocks()
  expect(clock.correction).toBe(0)
  expect(clock.steady).toBe(true)
  clock.close()
})

test('where no file can be written, the process’s own clock has to do', () => {
  const clock = fileClock('/nowhere/at/all.db')
  expect(clock.correction).toBe(0)
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000)
  clock.close()
})

describe.each(['+1h', '-1h'])('a process whose clock is off by %s', (faketime) => {
  beforeAll(() => void ensure('faketime', 'faketime'))

  test('goes by the same time as the others', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await using other = await startProcess(`sqlite:${path}`, { faketime })
    const { now } = await other.call<{ now: number }>('sweep', 1)
    expect(Math.abs(now - (await backend.sweep(1)).now)).toBeLessThan(1000)
    const { clockSkew, warnings } = await other.call<{ clockSkew: number; warnings: string[] }>('diagnose')
    expect(Math.abs(Math.abs(clockSkew) - 3_600_000)).toBeLessThan(1000)
    expect(warnings.join()).toContain('clock')
  })

  test('takes no scheduled job early, nor holds up one that it scheduled', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await backend.submit([submission('mine', { due: { in: 600_000 } })])
    await using other = await startProcess(`sqlite:${path}`, { faketime })
    await other.call('submit', [submission('its', { due: { in: 600_000 } })])
    await other.call('consume', 'its-worker', 15_000)
    await other.call('sweep', 100)
    expect(await other.call('take', 10, 100)).toEqual([])
    await backend.control.shiftClock(601_000)
    const taken = await other.call<string[]>('take', 10, 5000)
    expect(taken.sort()).toEqual(['its', 'mine'])
  })

  test('neither loses its lease nor takes another’s', async () => {
    const path = fresh()
    await using backend = sqlite({ path })
    await backend.submit([submission('a'), submission('b')])
    await using mine = await consume(backend, 'my-worker')
    const [delivery] = await mine.take(1, new AbortController().signal)
    await using other = await startProcess(`sqlite:${path}`, { faketime })
    await other.call('consume', 'its-worker', 15_000)
    expect(await other.call('take', 1, 5000)).toEqual(['b'])
    await other.call('sweep', 100)
    await backend.sweep(100)
    expect(await mine.renew([])).toEqual({ cancel: [], lost: [] })
    expect(await other.call('renew')).toEqual({ cancel: [], lost: [] })
    const states = (await backend.records.get(['a', 'b'])).map((record) => record?.state)
    expect(states).toEqual(['active', 'active'])
    const end = { kind: 'final', state: 'succeeded', result: '1null' } as const
    expect(await mine.finish([{ delivery: delivery!, ran: 1, end }])).toEqual(['applied'])
  })
})
