import type { Millis } from '../../port/index.ts'
import { isBusy, locked, translate } from './faults.ts'
import type { Database } from './library.ts'

/**
 * Group commit: what is asked for in one tick is written in one transaction, and resolved when that is kept.
 *
 * - A closure that throws fails alone: the transaction is rolled back and the others run again, so a
 *   closure must leave no trace outside the database but through its transaction.
 * - `light` closures (claims and renewals, whose loss in a power cut is harmless) resolve at the COMMIT, and
 *   don't wait for the disk.
 * - While another process holds the lock, the writer tries again every few milliseconds, and the loop runs.
 */
export interface Writer<T> {
  write<R>(run: (transaction: T) => R, light?: boolean): Promise<R>
  /** Run outside of transactions, with patience for locks. */
  read<R>(run: () => R): Promise<R>
  /** Resolves once all that was asked for has been answered. */
  idle(): Promise<void>
}

export interface WriterOptions<T> {
  readonly db: Database
  /** As the user named it. */
  readonly file: string
  readonly busyTimeout: Millis
  /** Calls back once all that is committed by now is as durable as it should be. */
  readonly durable: (done: (error: unknown) => void) => void
  /** What a transaction's closures share; made anew for every try. */
  readonly begin: () => T
  /** The transaction is committed: others may work on what it made. */
  readonly committed: (transaction: T) => void
  /** And it is durable: who waits for an end may be told. */
  readonly kept: (transaction: T) => void
}

interface Write<T> {
  readonly run: (transaction: T) => unknown
  readonly light: boolean
  readonly since: number
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

interface Commit<T> {
  readonly transaction: T
  readonly writes: readonly Write<T>[]
  readonly results: readonly unknown[]
}

/** Closures in one transaction at the most, so that no one waits long for the first of them. */
const BATCH = 1000
/** Turns of the event loop for which a lock is looked at again at once. */
const SPINS = 20

export function createWriter<T>(options: WriterOptions<T>): Writer<T> {
  const { db, file, busyTimeout } = options
  let queue: Write<T>[] = []
  let armed = false
  let tries = 0
  let keeping = 0
  let idlers: (() => void)[] = []

  function arm() {
    if (armed) return
    armed = true
    setImmediate(flush)
  }

  function flush() {
    armed = false
    const batch = queue.length > BATCH ? queue.splice(0, BATCH) : queue
    if (batch === queue) queue = []
    const rest = transact(batch)
    if (rest.length > 0) {
      queue = rest.concat(queue)
      armed = true
      // Most transactions take less than a timer's least pause: look again at once, for a while.
      if (tries++ < SPINS) setImmediate(flush)
      else setTimeout(flush, Math.min(20, tries - SPINS) * (0.5 + Math.random()))
      return
    }
    tries = 0
    if (queue.length > 0) arm()
    checkIdle()
  }

  /** Write a batch in one transaction; what is left of it must be tried again later. */
  function transact(batch: Write<T>[]): Write<T>[] {
    let writes = batch
    while (writes.length > 0) {
      let at = -1
      let commit: Commit<T>
      try {
        db.exec('BEGIN IMMEDIATE')
        const transaction = options.begin()
        const results: unknown[] = []
        for (const write of writes) {
          at++
          results.push(write.run(transaction))
        }
        at = -1
        db.exec('COMMIT')
        commit = { transaction, writes, results }
      } catch (error) {
        rollBack()
        if (isBusy(error)) return patient(writes, error)
        const refused = at < 0 ? writes : [writes[at]!]
        for (const write of refused) write.reject(translate(error, file))
        writes = at < 0 ? [] : writes.filter((_, i) => i !== at)
        continue
      }
      settle(commit)
      return []
    }
    return []
  }

  function rollBack() {
    try {
      if (db.isTransaction) db.exec('ROLLBACK')
    } catch {
      // Some errors end the transaction by themselves.
    }
  }

  /** Those that may wait longer for the lock; the others are refused. */
  function patient(writes: Write<T>[], error: unknown): Write<T>[] {
    const now = performance.now()
    return writes.filter((write) => {
      if (now - write.since < busyTimeout) return true
      write.reject(locked(file, error))
      return false
    })
  }

  function settle(commit: Commit<T>) {
    options.committed(commit.transaction)
    answer(commit, true)
    if (commit.writes.every((write) => write.light)) return options.kept(commit.transaction)
    keeping++
    options.durable((error) => {
      keeping--
      if (error) for (const write of commit.writes) write.reject(error)
      else {
        options.kept(commit.transaction)
        answer(commit, false)
      }
      checkIdle()
    })
  }

  function answer({ writes, results }: Commit<T>, light: boolean) {
    for (let i = 0; i < writes.length; i++) {
      if (writes[i]!.light === light) writes[i]!.resolve(results[i] as never)
    }
  }

  const isIdle = () => queue.length === 0 && !armed && keeping === 0

  function checkIdle() {
    if (idlers.length === 0 || !isIdle()) return
    for (const resolve of idlers) resolve()
    idlers = []
  }

  return {
    write(run, light = false) {
      return new Promise((resolve, reject) => {
        queue.push({ run, light, since: performance.now(), resolve, reject })
        arm()
      })
    },
    async read(run) {
      const since = performance.now()
      for (;;) {
        try {
          return run()
        } catch (error) {
          if (!isBusy(error)) throw translate(error, file)
          if (performance.now() - since >= busyTimeout) throw locked(file, error)
        }
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 9))
      }
    },
    idle() {
      if (isIdle()) return Promise.resolve()
      return new Promise((resolve) => idlers.push(resolve))
    },
  }
}
