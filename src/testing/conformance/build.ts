import type {
  Body,
  Delivery,
  End,
  Job,
  Join,
  Keep,
  Millis,
  Outcome,
  Root,
  Slot,
  Submission,
} from '../../port/index.ts'

export const SECOND: Millis = 1000
export const MINUTE: Millis = 60 * SECOND
export const HOUR: Millis = 60 * MINUTE
export const DAY: Millis = 24 * HOUR
/** The lease of the suite's workers: long enough that only a moved clock ends it. */
export const LEASE: Millis = 15 * SECOND

export const KEEP: Keep = { succeeded: HOUR, failed: 14 * DAY }

/** A job with everything but its id filled in. */
export function job(fields: Partial<Job> & { readonly id: string }): Job {
  return { task: 'work', queue: 'default', body: '1null', priority: 0, keep: KEEP, ...fields }
}

/** A submission of one job. */
export const single = (fields: Partial<Job> & { readonly id: string }): Submission => ({
  jobs: [job(fields)],
})

/** Submissions of jobs `<prefix>0` … `<prefix>n-1`. */
export const singles = (prefix: string, count: number, fields: Partial<Job> = {}): Submission[] =>
  Array.from({ length: count }, (_, i) => single({ ...fields, id: `${prefix}${i}` }))

export const slot = (join: string, index = 0): Slot => ({ join, index })

/** What a flow is made of, beside its root join; `flow` is filled in. */
export interface FlowParts {
  readonly jobs?: readonly (Partial<Job> & { readonly id: string })[]
  readonly joins?: readonly (Partial<Join> & { readonly id: string; readonly size: number })[]
  readonly opens?: readonly string[]
  /** More of the root join, such as `otherwise`. */
  readonly root?: Partial<Omit<Join, 'id' | 'root'>>
  readonly keep?: Keep
  readonly notify?: string
  readonly outline?: Body
}

/** A flow: its root join of size 1, and what reports to it. */
export function flow(id: string, parts: FlowParts): Submission {
  const record: Root = {
    outline: parts.outline ?? '1"outline"',
    keep: parts.keep ?? KEEP,
    ...(parts.notify !== undefined && { notify: parts.notify }),
  }
  return {
    jobs: (parts.jobs ?? []).map((fields) => job({ flow: id, ...fields })),
    joins: [
      { id, flow: id, size: 1, ...parts.root, root: record },
      ...(parts.joins ?? []).map((join) => ({ flow: id, ...join })),
    ],
    ...(parts.opens && { opens: parts.opens }),
  }
}

/** Of a group: more of its join, of its members and of its flow. */
export interface GroupParts extends Pick<FlowParts, 'root' | 'keep' | 'notify'> {
  readonly join?: Partial<Join>
  readonly member?: Partial<Job>
}

/** A flow `id` of one group: join `<id>/*` with the members `<id>/0` … */
export function group(id: string, size: number, parts: GroupParts = {}): Submission {
  const meet = `${id}/*`
  return flow(id, {
    ...parts,
    joins: [{ id: meet, size, reports: slot(id), ...parts.join }],
    jobs: Array.from({ length: size }, (_, i) => ({
      id: `${id}/${i}`,
      reports: slot(meet, i),
      ...parts.member,
    })),
  })
}

/** A chord: a group whose join releases the job `<id>/body`. */
export function chord(id: string, size: number, parts: GroupParts = {}): Submission {
  const body = job({ id: `${id}/body`, flow: id, reports: slot(id) })
  return group(id, size, { ...parts, join: { release: { jobs: [body] }, ...parts.join } })
}

/** A chain of jobs `<id>/0` …, an edge (a join of size 1) between each two. */
export function chain(id: string, length: number, parts: Pick<FlowParts, 'root' | 'keep'> = {}): Submission {
  const edge = (i: number) => `${id}/${i}>`
  const step = (i: number) =>
    job({ id: `${id}/${i}`, flow: id, reports: slot(i === length - 1 ? id : edge(i)) })
  return flow(id, {
    ...parts,
    jobs: [step(0)],
    joins: Array.from({ length: length - 1 }, (_, i) => ({
      id: edge(i),
      size: 1,
      reports: slot(id),
      release: { jobs: [step(i + 1)] },
    })),
  })
}

export const succeeded = (result: Body = '1"done"'): End => ({ kind: 'final', state: 'succeeded', result })
export const SUCCEEDED = succeeded()
export const FAILED: End = { kind: 'final', state: 'failed', result: '1"broken"' }
export const CANCELLED: End = { kind: 'final', state: 'cancelled', result: '1"stopped"' }
export const BACK: End = { kind: 'back' }
export const again = (delay: Millis = 0, counts = true, error: Body = '1"once more"'): End => ({
  kind: 'again',
  delay,
  counts,
  error,
})

export const outcome = (delivery: Delivery, end: End): Outcome => ({ delivery, ran: 5, end })
