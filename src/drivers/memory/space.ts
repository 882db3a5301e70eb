import type { EpochMillis, JobEvent, Join, JoinState, Millis, Schedule, Unique } from '../../port/index.ts'
import { Heap } from './heap.ts'
import { Line } from './line.ts'
import type { Row } from './row.ts'

export type Mark = 'cancel' | 'members'

/** A join's record. */
export interface JoinRow extends JoinState {
  state: JoinState['state']
  readonly slots: Map<number, { ok: boolean; by: string }>
  failed: number
  mark: Mark | undefined
  readonly created: EpochMillis
  ended: EpochMillis | undefined
}

/** What belongs to one flow, and goes with it. */
export interface Flow {
  readonly root: Join
  readonly rows: Row[]
  readonly joins: string[]
  marked: boolean
}

export interface WorkerRow {
  readonly name: string
  readonly queues: readonly string[]
  expires: EpochMillis
  readonly held: Map<string, Row>
}

/** Who holds a key. */
export interface Lock {
  readonly unique: Unique
  readonly id: string
  readonly ends: EpochMillis
}

/** Tickets to send, in the order in which their jobs became waiting, and until when each is held. */
export type Tickets = Map<{ readonly row: Row; readonly place: number }, EpochMillis>

export interface Listener {
  matches(id: string, notify: string | undefined): boolean
  worker: string | undefined
  hint(event: JobEvent): void
}

/** One namespace: every job, join and worker, and the structures that find them. */
export interface Space {
  readonly rows: Map<string, Row>
  readonly joins: Map<string, JoinRow>
  readonly flows: Map<string, Flow>
  readonly workers: Map<string, WorkerRow>
  readonly lines: Map<string, Line>
  /** Scheduled and retrying rows by when they are due. Entries are stale unless `next` is their key. */
  readonly timed: Heap<Row>
  /** Idle rows by when they expire. */
  readonly expiring: Heap<Row>
  /** Ids of ended jobs and flows by when their record goes. */
  readonly fading: Heap<{ row?: Row; flow?: Flow }>
  readonly schedules: Map<string, Schedule>
  readonly locks: Map<string, Lock>
  /** Locks by when it is to be seen whether they are still held. */
  readonly locked: Heap<Lock>
  /** Versions of schedules by when they are due. Entries are stale unless their version is stored. */
  readonly planned: Heap<Schedule>
  /** Flows whose members are to be ended because a mark was set. */
  readonly marked: Set<Flow>
  readonly listeners: Set<Listener>
  /** Woken when something may have become runnable. */
  readonly idle: Set<() => void>
  /** Kept once it was asked for. */
  outbox: Tickets | undefined
  serials: number
  places: number
  offset: Millis
}

export const never = Number.POSITIVE_INFINITY

export const createSpace = (): Space => ({
  rows: new Map(),
  joins: new Map(),
  flows: new Map(),
  workers: new Map(),
  lines: new Map(),
  timed: new Heap(),
  expiring: new Heap(),
  fading: new Heap(),
  schedules: new Map(),
  locks: new Map(),
  locked: new Heap(),
  planned: new Heap(),
  marked: new Set(),
  listeners: new Set(),
  idle: new Set(),
  outbox: undefined,
  serials: 0,
  places: 0,
  offset: 0,
})

export const now = (space: Space): EpochMillis => Date.now() + space.offset

export function lineOf(space: Space, queue: string): Line {
  let line = space.lines.get(queue)
  if (!line) {
    line = new Line()
    space.lines.set(queue, line)
  }
  return line
}

/** Whether a cancel mark lies on this job or on a join above it. */
export function covered(space: Space, row: Row): boolean {
  if (row.marked) return true
  const { flow, reports } = row.job
  if (!flow || !space.flows.get(flow)?.marked) return false
  return reports !== undefined && below(space, reports.join)
}

/** Whether this join, or one above it, carries a mark. */
export function below(space: Space, join: string): boolean {
  for (let at: JoinRow | undefined = space.joins.get(join); at; ) {
    if (at.mark) return true
    at = at.join.reports && space.joins.get(at.join.reports.join)
  }
  return false
}

export const isIdle = (row: Row): boolean =>
  row.state === 'waiting' || row.state === 'scheduled' || row.state === 'retrying'

/** A job became waiting: a ticket for it. */
export function enter(tickets: Tickets, row: Row): void {
  tickets.set({ row, place: row.place }, 0)
}

/** Wake the consumers that wait for something runnable. */
export function ring(space: Space): void {
  if (space.idle.size === 0) return
  const waiting = [...space.idle]
  space.idle.clear()
  for (const wake of waiting) wake()
}

/** Tell who listens that a job or flow has changed. */
export function hint(space: Space, id: string, notify?: string): void {
  for (const listener of space.listeners) if (listener.matches(id, notify)) listener.hint({ id })
}
