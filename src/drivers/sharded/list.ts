import type { JobRecord, ListFilter, Page } from '../../port/index.ts'
import type { MarkedPage, Part } from './part.ts'

/** Where a list stands in one part: at its beginning, at a cursor, or at its end. */
type Place = { readonly cursor?: string } | undefined

/** The newest jobs of all parts: by when they were created, and within a part in its own order. */
export async function mergedList(
  parts: readonly Part[],
  filter: ListFilter,
  limit: number,
  cursor?: string,
): Promise<Page> {
  const places: Place[] = cursor === undefined ? parts.map(() => ({})) : read(cursor, parts.length)
  const pages: (MarkedPage | undefined)[] = await Promise.all(
    places.map((place, i) => place && parts[i]!.records.list(filter, limit, place.cursor)),
  )
  const used = parts.map(() => 0)
  const jobs: JobRecord[] = []
  while (jobs.length < limit) {
    let newest: JobRecord | undefined
    let from = -1
    for (const [i, page] of pages.entries()) {
      const next = page?.jobs[used[i]!]
      if (next && (!newest || isNewer(next, newest))) {
        newest = next
        from = i
      }
    }
    if (!newest) break
    used[from]!++
    jobs.push(newest)
  }
  const next = pages.map((page, i): Place => {
    if (!page) return undefined
    const mark = page.marks[used[i]!] ?? page.cursor
    return mark === undefined ? undefined : { cursor: mark }
  })
  return next.some((place) => place !== undefined) ? { jobs, cursor: write(next) } : { jobs }
}

/** Within a millisecond by id: those that one process makes sort by when it made them. */
const isNewer = (one: JobRecord, other: JobRecord): boolean =>
  one.created === other.created ? one.job.id > other.job.id : one.created > other.created

const write = (places: readonly Place[]): string =>
  places.map((place) => (place ? encodeURIComponent(place.cursor ?? '') : '-')).join('~')

function read(cursor: string, count: number): Place[] {
  const places = cursor.split('~')
  return Array.from({ length: count }, (_, i) => {
    const place = places[i] ?? '-'
    return place === '-' ? undefined : { cursor: decodeURIComponent(place) }
  })
}
