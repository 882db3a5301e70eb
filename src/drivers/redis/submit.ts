import { randomBytes } from 'node:crypto'
import { BackendError } from '../../errors.ts'
import { idOf, type Job, type Join, type Receipt, type Submission, type Unique } from '../../port/index.ts'
import type { Argument } from './link.ts'
import { scripts } from './lua/index.ts'
import type { Shard } from './shard.ts'
import { kindOf, linesOf, pack, queuedText, slotText } from './text.ts'

/** One call's worth: more would hold up everybody else at the server. */
const JOBS = 1000
const BYTES = 1_000_000

let calls = 0
const process_ = randomBytes(6).toString('base64url')

/** Submit a batch, in as many calls as its size asks for. */
export async function submit(shard: Shard, batch: readonly Submission[]): Promise<Receipt[]> {
  const letters: string[] = []
  const holders: string[] = []
  let args: Argument[] = []
  let jobs = 0
  let bytes = 0
  let run: Run | undefined

  async function send() {
    closeRun(args, run)
    run = undefined
    if (args.length === 0) return
    const answer = await deliver(shard, args)
    letters.push(...answer.letters)
    holders.push(...answer.holders)
    args = []
    jobs = 0
    bytes = 0
  }

  for (const submission of batch) {
    if (jobs >= JOBS || bytes >= BYTES) await send()
    const [job] = submission.jobs
    jobs += Math.max(1, submission.jobs.length)
    if (submission.unique) {
      closeRun(args, run)
      run = undefined
      const item = argumentsOf(submission)
      pushUnique(args, submission.unique, item.length)
      for (const each of item) args.push(each)
      continue
    }
    if (submission.joins) {
      closeRun(args, run)
      run = undefined
      bytes += pushFlow(args, submission)
      continue
    }
    const kind = kindOf(job!)
    const lines = linesOf(job!)
    bytes += lines.length
    if (kind[1] === 'p' && job!.done === undefined) {
      if (run?.queue !== job!.queue || run.kind !== kind) {
        closeRun(args, run)
        run = { queue: job!.queue, kind, items: [] }
      }
      run.items.push(job!.id, lines)
    } else {
      closeRun(args, run)
      run = undefined
      pushJob(args, job!)
    }
  }
  await send()
  return batch.map((submission, i) => {
    const letter = letters[i]!
    if (letter !== 'h' && letter !== 'r') return receipt(submission, letter)
    return { id: holders.shift()!, status: letter === 'r' ? 'replaced' : 'duplicate' }
  })
}

/** Submit what these arguments hold; sent again, it gets the letters of the first time. */
export async function deliver(
  shard: Shard,
  args: readonly Argument[],
): Promise<{ letters: string; holders: string[] }> {
  const token = `${process_}${(++calls).toString(36)}`
  const answer = await shard.run(scripts.submit, [token, '', ...args], ([, , ...rest]) => [
    token,
    '1',
    ...rest,
  ])
  const [letters = '', ...holders] = (answer as string).split('\n')
  return { letters, holders }
}

/** One submission, whatever it is, as arguments of its own. */
export function argumentsOf(submission: Submission): Argument[] {
  const args: Argument[] = []
  if (submission.joins) pushFlow(args, submission)
  else pushJob(args, submission.jobs[0]!)
  return args
}

const LETTERS = { started: 's', finished: 'f', elapsed: 'e', first: 'f', last: 'l' } as const

const pushUnique = (args: Argument[], { key, until, for: length, wins }: Unique, skip: number): void => {
  args.push('u', key, LETTERS[until], length === undefined ? '' : Math.ceil(length), LETTERS[wins], skip)
}

const pushJob = (args: Argument[], job: Job): void => {
  args.push('j', job.id, doneText(job), kindOf(job), linesOf(job))
}

/** Plain jobs of one queue and priority, which the script takes together. */
interface Run {
  readonly queue: string
  readonly kind: string
  readonly items: string[]
}

function closeRun(args: Argument[], run: Run | undefined): void {
  if (!run) return
  args.push('p', run.items.length / 2, run.queue, run.kind)
  for (const item of run.items) args.push(item)
}

const doneText = ({ done }: Job): string => (done === undefined ? '' : pack(done))

/** How many characters it came to. */
function pushFlow(args: Argument[], submission: Submission): number {
  const { jobs, joins = [], opens = [] } = submission
  const from = args.length
  args.push('f', idOf(submission), joins.length, jobs.length, opens.length)
  for (const join of joins)
    args.push(join.id, joinText(join), hasQueued(join) ? queuedText(join) : '', rootText(join))
  for (const job of jobs) args.push(job.id, doneText(job), kindOf(job), linesOf(job))
  for (const open of opens) args.push(open)
  let length = 0
  for (let i = from; i < args.length; i++) length += String(args[i]).length
  return length
}

const hasQueued = ({ release, besides, otherwise }: Join): boolean =>
  release !== undefined || besides !== undefined || otherwise !== undefined

/** A join's record: size, flags, flow, slot. What the flags mean stands in lua/flows.ts. */
function joinText({
  size,
  flow,
  reports,
  failFast,
  cancelSiblings,
  root,
  release,
  besides,
  otherwise,
}: Join): string {
  const flags = [
    failFast && 'f',
    cancelSiblings && 'c',
    root && 'r',
    release && 'q',
    besides && 'b',
    otherwise && 'o',
  ].filter(Boolean)
  return `${size}\t${flags.join('')}\t${flow}\t${slotText(reports)}`
}

const rootText = ({ root }: Join): string =>
  root ? `${root.keep.succeeded}\t${root.keep.failed}\t${root.notify ?? ''}\n${pack(root.outline)}` : ''

function receipt(submission: Submission, letter: string): Receipt {
  const id = idOf(submission)
  if (letter === 't') {
    throw new BackendError(
      'BACKEND_ERROR',
      `The flow "${id}" holds a job whose id another job has. It was not stored; what was submitted with it was.`,
    )
  }
  return { id, status: letter === 'a' ? 'accepted' : 'duplicate' }
}
