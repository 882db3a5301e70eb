import type { Job, Join, Release, Slot, Submission } from '../../../src/port/index.ts'
import type { Fate, Value } from './value.ts'

/** What a job's body says: its input is the flow's, or what a join gathered. */
export interface Body {
  readonly path: string
  readonly fate: Fate
  readonly input: { readonly join: string } | null
}

export const HOUR = 3_600_000
/** How long a task fated to expire waits in a queue that nobody serves. */
export const EXPIRES = 30_000

/** A flow value as joins and jobs: every join declared at once, the jobs of later steps in releases. */
export function compile(flow: Value, root: string, queue: string): Submission {
  const joins: Join[] = []
  const record = { outline: '1null', keep: { succeeded: HOUR, failed: HOUR } }
  const idOf = (path: string) => `${root}/${path}`

  function job(path: string, fate: Fate, input: Body['input'], reports?: Slot): Job {
    const body: Body = { path, fate, input }
    const served = fate !== 'expire' && fate !== 'cancel'
    return {
      id: idOf(path),
      task: 'part',
      queue: served ? queue : `${queue}-unserved`,
      body: JSON.stringify(body),
      priority: 0,
      keep: { succeeded: 0, failed: 0 },
      flow: root,
      ...(fate === 'expire' && { expiresIn: EXPIRES }),
      ...(reports && { reports }),
    }
  }

  /** Declares a join, and gives the slot in it. */
  function declare(join: Omit<Join, 'flow'>): Slot {
    joins.push({ ...join, flow: root })
    return { join: join.id, index: 0 }
  }

  /** What sets this part going; it reports to `slot` at its end. */
  function part(value: Value, path: string, input: Body['input'], slot: Slot): Required<Release> {
    if (value.kind === 'task') return { jobs: [job(path, value.fate, input, slot)], opens: [] }
    const reports = value.onError
      ? declare({ id: idOf(`${path}!`), size: 1, reports: slot, otherwise: job(`${path}!e`, 'ok', null) })
      : slot
    if (value.kind === 'group') {
      const id = idOf(`${path}*`)
      const { failFast, cancelSiblings, members } = value
      declare({ id, size: members.length, reports, failFast, cancelSiblings })
      if (members.length === 0) return { jobs: [], opens: [id] }
      const parts = members.map((member, i) => part(member, `${path}.${i}`, input, { join: id, index: i }))
      return { jobs: parts.flatMap(({ jobs }) => jobs), opens: parts.flatMap(({ opens }) => opens) }
    }
    // From the last step to the first: each edge releases what comes after it.
    let next: Required<Release> | undefined
    for (let i = value.steps.length - 1; i >= 0; i--) {
      const edge = idOf(`${path}.${i}>`)
      const from = i === 0 ? input : { join: idOf(`${path}.${i - 1}>`) }
      const to = next ? declare({ id: edge, size: 1, reports, release: next }) : reports
      next = part(value.steps[i]!, `${path}.${i}`, from, to)
    }
    return next!
  }

  const start = part(flow, '0', null, { join: root, index: 0 })
  return { ...start, joins: [{ id: root, flow: root, size: 1, root: record }, ...joins] }
}

/** Joins that pass on what one part came to; the others gather a list. */
export const isSingle = (join: string): boolean => !join.endsWith('*')
