import { inspect } from 'node:util'
import { type FlowTree, type JobInfo, serialise } from '../index.ts'
import { visibleLines } from './text.ts'

/** An input or a result for people: Date, bigint, Map and bytes too, long ones shortened, in a few lines. */
export const show = (value: unknown, columns = 100): string =>
  visibleLines(
    inspect(value, {
      depth: 8,
      maxArrayLength: 100,
      maxStringLength: 1000,
      breakLength: columns,
      sorted: false,
    }),
  )

/**
 * An input or a result as JSON that loses nothing: what JSON lacks is written as it is stored, such as
 * `{"$":["date","2026-01-01T00:00:00.000Z"]}`. `undefined` is left out with its field, as JSON does.
 */
export const lossless = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(serialise(value, 'value'))

/** A job as `--json` prints it: times in ISO 8601, input and result by {@link lossless}. */
export const jobJson = (info: JobInfo): object => ({
  ...info,
  input: lossless(info.input),
  ...('result' in info && { result: lossless(info.result) }),
})

/** A flow as `--json` prints it, with each job by {@link jobJson}. */
export const flowJson = ({ job, children, handlers, ...node }: FlowTree): object => ({
  ...node,
  ...(job && { job: jobJson(job) }),
  children: children.map(flowJson),
  handlers: handlers.map(flowJson),
})
