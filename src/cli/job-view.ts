import type { AttemptInfo, Failure, JobInfo } from '../index.ts'
import type { Colors, Output } from './output.ts'
import { visible, visibleLines } from './text.ts'
import { clock, span, when } from './time.ts'
import { show } from './values.ts'

/** A state in its colour. */
export function paintState(state: string, text: string, colors: Colors): string {
  switch (state) {
    case 'succeeded':
      return colors.green(text)
    case 'failed':
      return colors.red(text)
    case 'active':
      return colors.cyan(text)
    case 'retrying':
      return colors.yellow(text)
    case 'cancelled':
    case 'expired':
    case 'skipped':
      return colors.magenta(text)
    default:
      return colors.blue(text)
  }
}

/** A job in one word: its state, and that a running one was told to end. */
export const stateOf = ({ state, cancelling }: JobInfo): string =>
  cancelling ? `${state} (cancelling)` : state

export const headline = (info: JobInfo): string => `${visible(info.id)}  ${visible(info.task)}`

/** Where a job stands, on one line that changes with all that is worth telling. */
export function step(info: JobInfo): string {
  const { state, attempt, progress, error, next } = info
  const parts = [
    stateOf(info),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(progress && state === 'active' ? [progressText(progress)] : []),
    ...(next && (state === 'scheduled' || state === 'retrying') ? [`until ${clock(next)}`] : []),
    ...(error ? [failureLine(error)] : []),
  ]
  return visible(parts.join('  '))
}

const progressText = ({ percent, note }: NonNullable<JobInfo['progress']>): string =>
  `${Math.round(percent * 10) / 10} %${note === undefined ? '' : ` ${note}`}`

/** All that is known of a job, for people. */
export function describe(info: JobInfo, { colors, columns }: Output): string {
  const now = Date.now()
  const { started, ended, error, progress, worker, next } = info
  const headers = Object.entries(info.headers).map(([name, value]) => `${name}=${value}`)
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['state', paintState(info.state, stateOf(info), colors)],
    ['queue', visible(info.queue)],
    ['priority', info.priority === 0 ? undefined : String(info.priority)],
    ['flow', info.flow && visible(info.flow)],
    ['attempt', String(info.attempt)],
    ['crashes', info.crashes === 0 ? undefined : `${info.crashes} workers lost`],
    ['created', when(info.created, now)],
    ['due', info.due.getTime() === info.created.getTime() ? undefined : when(info.due, now)],
    ['next run', next && when(next, now)],
    ['started', started && when(started, now)],
    ['ended', ended && when(ended, now) + (started ? `, ran ${span(+ended - +started)}` : '')],
    ['worker', worker && visible(worker)],
    ['progress', progress && visible(progressText(progress))],
    ['headers', headers.length > 0 ? visible(headers.join(', ')) : undefined],
    ['input', info.input === undefined ? undefined : show(info.input, columns)],
    ['result', info.state === 'succeeded' ? show(info.result, columns) : undefined],
    ['error', error && colors.red(visible(failureLine(error)))],
  ]
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
  const lines = shown.map(([name, value]) => `${colors.dim(name.padEnd(10))}${indent(value)}`)
  return [
    colors.bold(headline(info)),
    ...lines,
    ...(error?.stack === undefined ? [] : [colors.dim(stackLines(error.stack))]),
    ...attempts(info.attempts, colors),
  ].join('\n')
}

function attempts(all: readonly AttemptInfo[], { dim }: Colors): string[] {
  if (all.length === 0) return []
  const line = ({ start, end, worker, error }: AttemptInfo) =>
    `  ${when(start, Date.now())}  ${span(+end - +start)}  ${visible(worker)}${error ? `  ${visible(failureLine(error))}` : ''}`
  return [dim('earlier attempts'), ...all.map(line)]
}

/** `TASK_FAILED TypeError: no such photo (ENOENT)` */
export function failureLine({ code, name, message, errorCode, causes }: Failure): string {
  const own = errorCode === undefined ? '' : ` (${errorCode})`
  const why = causes && causes.length > 0 ? ` <- ${causes.join(' <- ')}` : ''
  return `${code} ${name}: ${message}${own}${why}`
}

/** The frames alone: the message stands above them. */
const stackLines = (stack: string): string =>
  visibleLines(stack)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `${' '.repeat(8)}${line.trim()}`)
    .join('\n')

const indent = (value: string): string => value.replaceAll('\n', `\n${' '.repeat(10)}`)
