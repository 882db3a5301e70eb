import type { Due, Job, Keep, Release, Slot } from '../../port/index.ts'

// What the scripts and this process both read is text in lines, so that Lua needs one `string.match` where
// JSON would have to be decoded. A job's lines are: queue, task, notify, extras, body.

/** Retention that a job without extras has; any other stands in its extras. */
export const PLAIN_KEEP: Keep = { succeeded: 3_600_000, failed: 1_209_600_000 }

const ESCAPED = '\x01'

/** A value on one line: one that holds a line break is written as JSON behind a control character. */
export function pack(text: string): string {
  return text.includes('\n') || text.startsWith(ESCAPED) ? ESCAPED + JSON.stringify(text) : text
}

/** The value that was packed. */
export function unpack(line: string): string {
  return line.startsWith(ESCAPED) ? (JSON.parse(line.slice(1)) as string) : line
}

/** Priority and kind: `p` for a job without extras, `x` for one with. */
export const kindOf = (job: Job): string => `${job.priority}${isPlain(job) ? 'p' : 'x'}`

const isPlain = ({ keep, due, expiresIn, flow, reports }: Job): boolean =>
  keep.succeeded === PLAIN_KEEP.succeeded &&
  keep.failed === PLAIN_KEEP.failed &&
  due === undefined &&
  expiresIn === undefined &&
  flow === undefined &&
  reports === undefined

/** The lines of a job that stand in its record from its first moment to its last. */
export function linesOf(job: Job): string {
  return `\n${job.queue}\n${job.task}\n${job.notify ?? ''}\n${isPlain(job) ? '' : extrasOf(job)}\n${pack(job.body)}`
}

function extrasOf({ flow = '', reports, keep, expiresIn, due }: Job): string {
  const kept =
    keep.succeeded === PLAIN_KEEP.succeeded && keep.failed === PLAIN_KEEP.failed
      ? '\t'
      : `${number(keep.succeeded)}\t${number(keep.failed)}`
  const expires = expiresIn === undefined ? '' : number(expiresIn)
  return `${flow}\t${reports?.join ?? ''}\t${reports?.index ?? ''}\t${kept}\t${expires}\t${dueText(due)}`
}

const dueText = (due: Due | undefined): string =>
  due === undefined ? '' : 'in' in due ? `i${number(due.in)}` : `a${number(due.at)}`

/** Whole, and no longer than Lua writes without an exponent: about three thousand years. */
const number = (value: number): string => String(Math.min(Math.ceil(value), 99_999_999_999_999))

/** A job from its id, its priority and its five lines. */
export function jobOf(id: string, priority: number, lines: readonly string[]): Job {
  const [queue, task, notify, extras, body] = lines as [string, string, string, string, string]
  const job: { -readonly [K in keyof Job]: Job[K] } = {
    id,
    task,
    queue,
    body: unpack(body),
    priority,
    keep: PLAIN_KEEP,
  }
  if (notify !== '') job.notify = notify
  if (extras !== '') addExtras(job, extras)
  return job
}

function addExtras(job: { -readonly [K in keyof Job]: Job[K] }, extras: string): void {
  const [flow, join, index, succeeded, failed, expires, due] = extras.split('\t') as Fields
  if (flow !== '') job.flow = flow
  if (join !== '') job.reports = { join, index: Number(index) }
  if (succeeded !== '') job.keep = { succeeded: Number(succeeded), failed: Number(failed) }
  if (expires !== '') job.expiresIn = Number(expires)
  if (due !== '') job.due = due[0] === 'i' ? { in: Number(due.slice(1)) } : { at: Number(due.slice(1)) }
}

type Fields = [string, string, string, string, string, string, string]

/** A job as part of a release: id, what it had come to before, kind, and its lines. */
const blockOf = (job: Job): string =>
  `${job.id}\n${job.done === undefined ? '' : pack(job.done)}\n${kindOf(job)}${linesOf(job)}\n`

/** What a join queues: how many of each, then the jobs and the joins to open. */
export interface Queued {
  readonly release?: Release
  readonly besides?: Job
  readonly otherwise?: Job
}

export function queuedText({ release, besides, otherwise }: Queued): string {
  const { jobs = [], opens = [] } = release ?? {}
  const blocks = [...(besides ? [besides] : []), ...(otherwise ? [otherwise] : []), ...jobs].map(blockOf)
  const open = opens.map((id) => `${id}\n`)
  return `${jobs.length}\t${opens.length}\n${blocks.join('')}${open.join('')}`
}

/** Reads what `queuedText` wrote. */
export function queuedOf(text: string, flags: string): Queued {
  const lines = text.split('\n')
  const [jobs, opens] = lines[0]!.split('\t').map(Number) as [number, number]
  let at = 1
  const block = (): Job => {
    const [id, done, kind, ...rest] = lines.slice(at, at + 8) as [string, string, string, ...string[]]
    at += 8
    const job = jobOf(id, Number(kind[0]), rest)
    return done === '' ? job : { ...job, done: unpack(done) }
  }
  const besides = flags.includes('b') ? block() : undefined
  const otherwise = flags.includes('o') ? block() : undefined
  const released = Array.from({ length: jobs }, block)
  const opened = lines.slice(at, at + opens)
  return {
    ...(flags.includes('q') && { release: { jobs: released, ...(opens > 0 && { opens: opened }) } }),
    ...(besides && { besides }),
    ...(otherwise && { otherwise }),
  }
}

export const slotText = (slot: Slot | undefined): string => `${slot?.join ?? ''}\t${slot?.index ?? ''}`
