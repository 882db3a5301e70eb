import type { Arrival, Records } from '../../../src/port/index.ts'
import { isSingle } from './compile.ts'

/** Reading what a flow came to, by following who filled the slots, in pages of two. */
export interface Reader {
  value(join: string): Promise<unknown>
  errors(join: string): Promise<unknown>
}

export function reader(records: Records, sizes: ReadonlyMap<string, number>): Reader {
  async function slots(join: string): Promise<(Arrival | undefined)[]> {
    const found: (Arrival | undefined)[] = Array.from({ length: sizes.get(join)! })
    for (let from = 0; from < found.length; ) {
      const page = await records.slots(join, from, 2)
      if (page.length === 0) break
      for (const arrival of page) found[arrival.index] = arrival
      from = page.at(-1)!.index + 1
    }
    return found
  }

  async function filledWith({ by }: Arrival): Promise<unknown> {
    if (sizes.has(by)) return value(by)
    const [record] = await records.get([by])
    return record?.kind === 'job' ? JSON.parse(record.result!) : `no record of ${by}`
  }

  async function value(join: string): Promise<unknown> {
    const arrivals = await slots(join)
    if (isSingle(join)) return filledWith(arrivals[0]!)
    return Promise.all(arrivals.map((arrival) => filledWith(arrival!)))
  }

  const errorOf = async (arrival: Arrival | undefined): Promise<unknown> => {
    if (!arrival || arrival.ok) return null
    if (sizes.has(arrival.by)) return errors(arrival.by)
    return arrival.by.slice(arrival.by.indexOf('/') + 1)
  }

  async function errors(join: string): Promise<unknown> {
    const arrivals = await slots(join)
    return isSingle(join) ? errorOf(arrivals[0]) : Promise.all(arrivals.map(errorOf))
  }

  return { value, errors }
}
