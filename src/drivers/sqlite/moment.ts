import type { EpochMillis } from '../../port/index.ts'
import type { Clock } from './clock.ts'
import type { Statement, Value } from './library.ts'
import type { Statements } from './statements.ts'

/** One transaction, or one look: an instant of the file's clock, and what it will have to make known. */
export interface Moment {
  readonly sql: Statements
  readonly now: EpochMillis
  /** Something became runnable, or due at some time: wake the workers. */
  runnable: boolean
  /** Jobs and flows that changed, for those in this process who wait for one of them. */
  readonly changes: { readonly id: string; readonly notify: string | null }[]
  /** One of the changes is an end, or progress: what other processes wait for. */
  told: boolean
  /** A cancel mark was set: tell the workers. */
  marks: boolean
  /** The last place in line, once it is known. */
  place: number | undefined
  /** Whether a join is covered by a mark, as far as it was looked up; forgotten when a mark is set. */
  readonly covered: Map<string, boolean>
}

export function moment(sql: Statements, clock: Clock): Moment {
  return {
    sql,
    now: clock.now() + number(sql.meta, 'offset'),
    runnable: false,
    changes: [],
    told: false,
    marks: false,
    place: undefined,
    covered: new Map(),
  }
}

/** The first cell of the first row; 0 without one. */
export function number(statement: Statement, ...values: Value[]): number {
  return ((statement.get(...values) as (number | null)[] | undefined)?.[0] ?? 0) as number
}

/** Whether there is a row. */
export function exists(statement: Statement, ...values: Value[]): boolean {
  return statement.get(...values) !== undefined
}
