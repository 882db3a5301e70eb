import type { Client } from './client.ts'
import { type FlowHandle, FlowHandleOf } from './flow-handle.ts'
import { type Handle, JobHandle } from './handle.ts'
import type { Defined, ScheduleInfo, Scheduling } from './schedules.ts'

/** A schedule, from any process. */
export interface ScheduleHandle {
  readonly name: string
  /** All that is known of it; `undefined` when there is none of that name. */
  info(): Promise<ScheduleInfo | undefined>
  /**
   * Its next due times, without jitter; none while it is paused or over.
   *
   * @param count - how many at the most, 5 unless given
   * @throws UsageError UNKNOWN_SCHEDULE
   */
  next(count?: number): Promise<Date[]>
  /**
   * Fire it no more until {@link ScheduleHandle.resume}.
   *
   * @throws UsageError UNKNOWN_SCHEDULE
   */
  pause(): Promise<void>
  /**
   * Fire it again from now on. What passed while it was paused is not missed: it was not wanted.
   *
   * @throws UsageError UNKNOWN_SCHEDULE
   */
  resume(): Promise<void>
  /**
   * Fire it now, whether it is paused or over; its due times stay as they are.
   *
   * @returns the handle of the job or flow
   * @throws UsageError UNKNOWN_SCHEDULE
   */
  run(): Promise<Handle | FlowHandle>
  /** @returns whether there was one */
  remove(): Promise<boolean>
}

/** The handle that `app.schedule` gives. */
export interface DefinedSchedule extends ScheduleHandle {
  /** `unchanged`: it was stored like this before. */
  readonly status: Defined
}

export function scheduleHandle(client: Client, scheduling: Scheduling, name: string): ScheduleHandle {
  return {
    name,
    info: () => scheduling.info(name),
    next: (count = 5) => scheduling.next(name, count),
    pause: () => scheduling.pause(name),
    resume: () => scheduling.resume(name),
    async run() {
      const { id, isFlow } = await scheduling.run(name)
      const parts = { id, own: true, status: 'accepted' } as const
      return isFlow ? new FlowHandleOf(client, parts) : new JobHandle(client, parts)
    },
    remove: () => scheduling.remove(name),
  }
}
