import { unpackValue } from '../core/body.ts'
import { type Failure, failureOfCode, type StepFailure, unpackFailure } from '../core/failure.ts'
import { isGroup, isJoin, pathOf } from '../core/ids.ts'
import { WaitError } from '../errors.ts'
import { type Arrival, type JobRecord, PAGE_LIMIT, type Records } from '../port/index.ts'

/**
 * What the fillers of slots stand for: a job's output; for a group's join the list of its members' values in
 * the order of declaration; for any other join the value of its one filler. Reads level by level and in
 * pages, so a body over ten thousand members costs some twenty reads.
 */
export async function readValues(records: Records, fillers: readonly string[]): Promise<unknown[]> {
  const values = new Map<string, unknown>()
  await eachJob(records, fillers, (id, record) => {
    if (record?.result === undefined || record.state !== 'succeeded') throw gone(id)
    values.set(id, unpackValue(record.result))
  })
  const below = await fillersOf(records, fillers.filter(isJoin))
  for (const [id, inner] of await spread(below, (ids) => readValues(records, ids))) {
    values.set(id, isGroup(id) ? inner : inner[0])
  }
  return fillers.map((id) => values.get(id))
}

/** For each filler the failures at or below it, in the order of declaration; cancelled ones among them. */
export async function readFailures(
  records: Records,
  fillers: readonly string[],
): Promise<(readonly StepFailure[])[]> {
  const found = new Map<string, readonly StepFailure[]>()
  await eachJob(records, fillers, (id, record) => {
    const failure = record && failureOf(record)
    if (!failure) return
    found.set(id, [{ ...failure, id, path: pathOf(id), task: record.job.task, attempts: attemptsOf(record) }])
  })
  const below = await fillersOf(records, fillers.filter(isJoin), ({ ok }) => !ok)
  for (const [id, inner] of await spread(below, (ids) => readFailures(records, ids))) {
    found.set(id, inner.flat())
  }
  return fillers.map((id) => found.get(id) ?? [])
}

/** Why a job did not succeed; `undefined` while it may, or when it did. */
export function failureOf({ state, code, result }: JobRecord): Failure | undefined {
  if (code) return failureOfCode(code)
  if (result !== undefined && state !== 'succeeded') return unpackFailure(result)
  return undefined
}

/** Attempts made: one that was cancelled, or expired, before it began is none. */
export const attemptsOf = ({ attempt, code }: JobRecord): number =>
  code === 'CANCELLED' || code === 'EXPIRED' ? attempt - 1 : attempt

/** Joins whose slots are read at once. */
const ABREAST = 100

/** Who filled the slots of each join, by index. */
async function fillersOf(
  records: Records,
  joins: readonly string[],
  wanted: (slot: Arrival) => boolean = () => true,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (let at = 0; at < joins.length; at += ABREAST) {
    const some = joins.slice(at, at + ABREAST)
    const slots = await Promise.all(some.map((join) => readSlots(records, join)))
    for (const [i, all] of slots.entries()) {
      const fillers = all.filter(wanted).map(({ by }) => by)
      found.set(some[i]!, fillers)
    }
  }
  return found
}

/** Read what all the lists name together, and give each list its own share. */
async function spread<T>(
  lists: ReadonlyMap<string, readonly string[]>,
  read: (ids: readonly string[]) => Promise<readonly T[]>,
): Promise<[string, readonly T[]][]> {
  if (lists.size === 0) return []
  const all = await read([...lists.values()].flat())
  let at = 0
  return [...lists].map(([id, { length }]) => {
    at += length
    return [id, all.slice(at - length, at)]
  })
}

/** All filled slots of a join by index. */
export async function readSlots(records: Records, join: string): Promise<Arrival[]> {
  const all: Arrival[] = []
  for (let from = 0; ; ) {
    const page = await records.slots(join, from, PAGE_LIMIT)
    all.push(...page)
    if (page.length < PAGE_LIMIT) return all
    from = page.at(-1)!.index + 1
  }
}

async function eachJob(
  records: Records,
  fillers: readonly string[],
  see: (id: string, record: JobRecord | undefined) => void,
): Promise<void> {
  const jobs = fillers.filter((id) => !isJoin(id))
  for (let at = 0; at < jobs.length; at += PAGE_LIMIT) {
    const page = jobs.slice(at, at + PAGE_LIMIT)
    const found = await records.get(page)
    for (const [i, record] of found.entries()) see(page[i]!, record?.kind === 'job' ? record : undefined)
  }
}

const gone = (id: string): WaitError =>
  new WaitError('NOT_KEPT', `The value of ${id} is not there: it did not succeed, or was not kept.`)
