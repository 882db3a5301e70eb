import type { Body, Job, JobRecord, Join, Submission } from '../port/index.ts'
import { packCall, unpackCall } from './body.ts'
import { packOutline, unpackOutline } from './outline.ts'

/**
 * The same flow under a new id, with the steps that succeeded taken over: their jobs are stored as done and
 * fill their slots at once, so the new flow goes on where the old one broke.
 *
 * @param joins - all joins of the old flow, the root among them
 * @param jobs - the records of all its jobs that were reached
 */
export function rerun(
  from: string,
  to: string,
  joins: readonly Join[],
  jobs: readonly JobRecord[],
  notify: string,
): Submission {
  const results = new Map<string, Body>()
  for (const { job, state, result } of jobs) {
    if (state === 'succeeded' && result !== undefined) results.set(job.id, result)
  }
  const released = new Set(
    joins.flatMap(({ release, otherwise, besides }) => [
      ...(release?.jobs ?? []).map(({ id }) => id),
      ...(otherwise ? [otherwise.id] : []),
      ...(besides ? [besides.id] : []),
    ]),
  )
  const opened = new Set(joins.flatMap(({ release }) => release?.opens ?? []))

  const moved = (id: string): string => (id === from ? to : to + id.slice(from.length))
  const move = ({ due, notify: _, done: __, ...job }: Job, takeOver = true): Job => {
    const done = takeOver ? results.get(job.id) : undefined
    return {
      ...job,
      id: moved(job.id),
      body: moveBody(job.body),
      flow: to,
      ...(job.reports && { reports: { ...job.reports, join: moved(job.reports.join) } }),
      // A time that has passed, or a delay that was waited for, is not waited for again.
      ...(due && 'in' in due && done === undefined && released.has(job.id) && { due }),
      ...(done !== undefined && { done }),
    }
  }
  const moveBody = (body: Body): Body => {
    const call = unpackCall(body)
    return packCall(
      call.from === undefined ? call : { ...call, from: moved(call.from) },
      Number.POSITIVE_INFINITY,
    )
  }

  return {
    jobs: jobs.flatMap(({ job }) => (released.has(job.id) ? [] : [move(job)])),
    opens: joins.filter(({ id, size }) => size === 0 && !opened.has(id)).map(({ id }) => moved(id)),
    joins: joins.map(({ release, otherwise, besides, reports, root, ...join }) => ({
      ...join,
      id: moved(join.id),
      flow: to,
      ...(reports && { reports: { ...reports, join: moved(reports.join) } }),
      ...(release && {
        release: {
          jobs: release.jobs.map((job) => move(job)),
          ...(release.opens && { opens: release.opens.map(moved) }),
        },
      }),
      ...(otherwise && { otherwise: move(otherwise, false) }),
      // It ran for a success that is taken over.
      ...(besides && { besides: move(besides) }),
      ...(root && {
        root: {
          ...root,
          outline: packOutline({ ...unpackOutline(root.outline), retryOf: from }),
          notify,
        },
      }),
    })),
  }
}
