import type { Delivery, End, Outcome } from '../../port/index.ts'
import type { Argument } from './link.ts'
import { pack } from './text.ts'

/** By which take it is held: it stands in the worker's hash until it is finished or lost. */
export interface Tag {
  readonly hold: string
}

export const holdOf = ({ tag }: Pick<Delivery, 'tag'>): string => (tag as Tag).hold

/** One delivery among all of a worker's. */
export const keyOf = (delivery: Pick<Delivery, 'job' | 'tag'>): string =>
  `${holdOf(delivery)} ${delivery.job.id}`

const letters = { succeeded: 'K', failed: 'F', cancelled: 'C' } as const

/** An outcome as the `work` script takes it: id, hold, end, value. */
export function pushOutcome(args: Argument[], { delivery, end }: Outcome): void {
  args.push(delivery.job.id, holdOf(delivery), letterOf(end), textOf(end))
}

function letterOf(end: End): string {
  if (end.kind === 'final') return letters[end.state]
  if (end.kind === 'back') return 'B'
  return end.counts ? 'R' : 'r'
}

function textOf(end: End): string {
  if (end.kind === 'final') return pack(end.result)
  return end.kind === 'back' ? '0' : `${Math.ceil(end.delay)}\n${end.error ?? ''}`
}
