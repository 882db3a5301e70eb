import { closeSync, fstatSync, writeSync } from 'node:fs'
import type { EpochMillis, Millis } from '../../port/index.ts'
import { openBeside } from './beside.ts'

/** The clock that all processes on one file share. */
export interface Clock {
  now(): EpochMillis
  /** What is added to this process's own clock because that is wrong, in milliseconds. */
  readonly correction: Millis
  /** Compare again; cheap (two system calls), for every sweep. */
  calibrate(): void
  /** False for a while after the machine's clock was set, or the machine slept: leases may have lapsed only seemingly. */
  readonly steady: boolean
  close(): void
}

/** A process this close to the file system's clock goes by its own, which is finer and steadier. */
const TOLERANCE = 1000
/** After a jump of the clock, workers get so long to renew their leases by the new time. */
const GRACE = 15_000
/** Some file systems keep even seconds only. */
const COARSE_TOLERANCE = 3000
/** A comparison that took longer says nothing: the disk was slow, or the process was stopped in the middle. */
const SLOW = 200

/**
 * The file system stamps every write by its own clock, which is the kernel's: one clock for all processes
 * on the machine, whatever each of them believes the time to be. A process whose clock is off (see "a
 * process whose clock is off" in test/sqlite/clock.test.ts) adds the difference. When the machine's clock is
 * set, all follow at once, and nothing needs to be stored.
 *
 * Where no file can be written, the process's own clock has to do.
 *
 * @param database - the stamp is made on a file beside it
 */
export function fileClock(database: string): Clock {
  let fd: number | undefined
  let correction = 0
  let last: Reading | undefined
  let jumped = Number.NEGATIVE_INFINITY

  function calibrate() {
    compare()
    const reading = { time: Date.now() + correction, elapsed: performance.now() }
    if (last && isJump(last, reading)) jumped = reading.elapsed
    last = reading
  }

  function compare() {
    try {
      fd ??= openBeside(database, '-clock')
      const began = performance.now()
      writeSync(fd, '.', 0)
      const found = deviation(fstatSync(fd, { bigint: true }).mtimeNs, Date.now())
      if (performance.now() - began < SLOW) correction = found
    } catch {
      fd = close(fd)
    }
  }
  calibrate()
  return {
    now: () => Date.now() + correction,
    get correction() {
      return correction
    },
    calibrate,
    get steady() {
      return performance.now() - jumped > GRACE
    },
    close() {
      fd = close(fd)
    },
  }
}

interface Reading {
  readonly time: EpochMillis
  /** By a clock that nobody sets, and that sleeps with the machine. */
  readonly elapsed: Millis
}

/** Whether more time, or less, has passed than has been lived through. */
export const isJump = (from: Reading, to: Reading): boolean =>
  Math.abs(to.time - from.time - (to.elapsed - from.elapsed)) > 2 * TOLERANCE

/** How far a process's clock is from a file's time stamp made just before; 0 when that is within bounds. */
export function deviation(stamp: bigint, own: EpochMillis): Millis {
  const difference = Number(stamp / 1_000_000n) - own
  const bound = stamp % 1_000_000_000n === 0n ? COARSE_TOLERANCE : TOLERANCE
  return Math.abs(difference) <= bound ? 0 : difference
}

function close(fd: number | undefined): undefined {
  if (fd !== undefined) closeSync(fd)
}
