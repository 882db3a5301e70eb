/**
 * Millrace: a distributed task queue and job scheduler. Accepted work is kept, run at least once, fenced,
 * and always ends.
 *
 * @packageDocumentation
 */
export { type App, type ConnectOptions, connect, type HandleOf, type Health } from './app.ts'
export { redact } from './async/redact.ts'
export type { FailureFilter, FailureGroup, Failures, RetriedMany } from './client/failures.ts'
export type { FlowHandle, FlowStep, FlowTree, StepOutcome } from './client/flow-handle.ts'
export type { EnqueuedHandle, Handle, WaitOptions } from './client/handle.ts'
export type { AttemptInfo, JobInfo, ProgressInfo } from './client/info.ts'
export type { JobsFilter, JobsPage, QueueInfo, WorkerInfo } from './client/inspect.ts'
export type { EnqueueManyOptions, EnqueueOptions } from './client/producer.ts'
export type { DefinedSchedule, ScheduleHandle } from './client/schedule-handle.ts'
export type { ScheduleEntry, ScheduleInfo } from './client/schedules.ts'
export { decode as deserialise, encode as serialise } from './core/codec.ts'
export type { Context, Logger } from './core/definition.ts'
export type { Duration } from './core/duration.ts'
export type { Failure, StepFailure } from './core/failure.ts'
export { chain, chord, chunks, type Flow, type GroupOptions, group, map, type OpenFlow } from './core/flow.ts'
export type { OutputOf, Part, Start, Step } from './core/part.ts'
export { type CronOptions, cron, every, type Recurrence } from './core/recurrence.ts'
export type { Retry, RetryOptions } from './core/retry.ts'
export { type ScheduleDefinition, type ScheduleOptions, schedule } from './core/schedule-options.ts'
export type { JobOptions, RunOptions } from './core/settings.ts'
export type { OpenSignature, Signature } from './core/signature.ts'
export { type Contract, type Runnable, type Task, type TaskOptions, task } from './core/task.ts'
export type { DebounceOptions, ThrottleOptions, UniqueOptions } from './core/unique.ts'
export * from './errors.ts'
export type { Backend, Cancelled, Diagnosis, JobState, State } from './port/index.ts'
export type { WorkerOptions } from './worker/config.ts'
export type { Middleware } from './worker/middleware.ts'
export type { Worker, WorkerHealth, WorkerState } from './worker/worker.ts'
