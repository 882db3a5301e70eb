import { UsageError } from '../errors.ts'
import type { Job, Join, Keep, Release, Slot, Submission } from '../port/index.ts'
import { type Call, packCall } from './body.ts'
import type { Definition } from './definition.ts'
import { type ChainValue, type GroupValue, MOST_DEPTH, type PartValue } from './flow.ts'
import { below, edgeId, groupId, handlersId, onErrorId, onSuccessId, stepId } from './ids.ts'
import { outlineOf, packOutline } from './outline.ts'
import { DEFAULTS, layer, type Settings } from './settings.ts'
import type { SignatureValue } from './signature.ts'

/** What a flow value alone doesn't say. */
export interface CompileOptions {
  /** The id of the job or flow. */
  readonly id: string
  /** What neither call, signature nor task say. */
  readonly app: Settings
  /** What the call says: of the job, or of all jobs of the flow. */
  readonly call: Settings
  readonly payloadLimit: number
  readonly notify?: string
  /** Asked of every input that is complete now; one that a step before completes is checked where it runs. */
  readonly check: (definition: Definition, input: unknown) => void
}

/** Members of one group at the most. */
export const MOST_MEMBERS = 10_000
/** Jobs of one flow at the most. */
export const MOST_JOBS = 20_000
/** Joins of one flow at the most: each of its jobs may have a group, an edge and handlers of its own. */
const MOST_JOINS = 3 * MOST_JOBS
/** Bytes of all bodies of one flow at the most. */
export const MOST_BYTES = 16_000_000

/**
 * Turn a signature or a flow into jobs and joins, all declared at once: nothing is copied from message to
 * message, and a driver needs no word of chains and groups. A chain's edge is a join of size 1 that releases
 * the next step; a group is a join of its size; handlers are a join of size 1 around their part.
 *
 * @throws UsageError UNSERIALISABLE, PAYLOAD_TOO_LARGE, FLOW_TOO_LARGE
 */
export function compile(part: PartValue, options: CompileOptions): Submission {
  if (part.kind === 'signature' && !part.whenFailed && !part.whenSucceeded) {
    return { jobs: [jobOf(part, options, { id: options.id })] }
  }
  return new Compiler(options).compile(part)
}

interface Place {
  readonly id: string
  readonly flow?: string
  readonly reports?: Slot
  /** The join whose value is the input. */
  readonly from?: string
  readonly reads?: 'failure'
}

class Compiler {
  readonly #options: CompileOptions
  /** For jobs that don't start the flow: when it starts, or must have, is said of those that do. */
  readonly #later: CompileOptions
  readonly #root: string
  readonly #joins: Join[] = []
  #jobs = 0
  #bytes = 0
  #depth = 0

  constructor(options: CompileOptions) {
    const { due: _, expiresIn: __, ...call } = options.call
    this.#options = options
    this.#later = { ...options, call }
    this.#root = options.id
  }

  compile(part: PartValue): Submission {
    const root = this.#root
    const { call, app, notify } = this.#options
    const { jobs, opens } = this.#lay(part, { join: root, index: 0 }, undefined, '', true)
    const keep = { ...DEFAULTS.keep, ...layer(app, call).keep }
    const record = {
      outline: packOutline({ shape: outlineOf(part) }),
      keep,
      ...(notify !== undefined && { notify }),
    }
    this.#joins.push({ id: root, flow: root, size: 1, root: record })
    return { jobs, ...(opens && { opens }), joins: this.#joins }
  }

  /**
   * Declare a part's joins, and return what starts it. Its end fills `slot`; it reads `previous`'s value.
   *
   * @param first - whether the flow starts with it
   */
  #lay(part: PartValue, slot: Slot, previous: string | undefined, path: string, first: boolean): Release {
    const from = part.ignoresPrevious ? undefined : previous
    const inner = part.whenFailed || part.whenSucceeded ? this.#handlers(part, slot, path, first) : slot
    if (part.kind === 'signature') {
      const place = { id: stepId(this.#root, path), reports: inner, ...(from && { from }) }
      return { jobs: [this.#job(part, place, first)] }
    }
    if (++this.#depth > MOST_DEPTH) {
      throw tooLarge(
        `a flow nested deeper than ${MOST_DEPTH} levels`,
        `${MOST_DEPTH}; give the steps to one chain: chain(...steps)`,
      )
    }
    const heads =
      part.kind === 'chain'
        ? this.#chain(part, inner, from, path, first)
        : this.#group(part, inner, from, path, first)
    this.#depth--
    return heads
  }

  #handlers(part: PartValue, slot: Slot, path: string, first: boolean): Slot {
    const early = first && isInstant(part)
    const id = handlersId(this.#root, path)
    const { whenFailed, whenSucceeded } = part
    this.#join({
      id,
      size: 1,
      reports: slot,
      ...(whenFailed && {
        otherwise: this.#job(
          whenFailed,
          { ...this.#aside(whenFailed, onErrorId(this.#root, path), id), reads: 'failure' },
          early,
        ),
      }),
      ...(whenSucceeded && {
        besides: this.#job(
          whenSucceeded,
          this.#aside(whenSucceeded, onSuccessId(this.#root, path), id),
          early,
        ),
      }),
    })
    return { join: id, index: 0 }
  }

  /** The place of a handler: it reads the join that it hangs on, and reports to nobody. */
  #aside({ ignoresPrevious }: SignatureValue, id: string, from: string): Place {
    return ignoresPrevious ? { id } : { id, from }
  }

  #chain({ steps }: ChainValue, slot: Slot, from: string | undefined, path: string, first: boolean): Release {
    const begins = steps.findIndex((step) => !isInstant(step))
    // From the last to the first, since an edge holds what it releases.
    let heads: Release = { jobs: [] }
    for (let k = steps.length - 1; k >= 0; k--) {
      const edge = (step: number) => edgeId(this.#root, below(path, step))
      if (k < steps.length - 1) this.#join({ id: edge(k), size: 1, reports: slot, release: heads })
      const end = k < steps.length - 1 ? { join: edge(k), index: 0 } : slot
      const starts = first && (k <= begins || begins < 0)
      heads = this.#lay(steps[k]!, end, k > 0 ? edge(k - 1) : from, below(path, k), starts)
    }
    return heads
  }

  #group(group: GroupValue, slot: Slot, from: string | undefined, path: string, first: boolean): Release {
    const { members, failFast, cancelSiblings } = group
    if (members.length > MOST_MEMBERS) {
      throw tooLarge(`a group of ${members.length} members`, `${MOST_MEMBERS}; use chunks() or nest groups`)
    }
    const id = groupId(this.#root, path)
    this.#join({
      id,
      size: members.length,
      reports: slot,
      ...(failFast && { failFast }),
      ...(cancelSiblings && { cancelSiblings }),
    })
    if (members.length === 0) return { jobs: [], opens: [id] }
    const heads = members.map((member, i) =>
      this.#lay(member, { join: id, index: i }, from, below(path, i), first),
    )
    const opens = heads.flatMap((head) => head.opens ?? [])
    return { jobs: heads.flatMap((head) => head.jobs), ...(opens.length > 0 && { opens }) }
  }

  #join(join: Omit<Join, 'flow'>): void {
    if (this.#joins.push({ ...join, flow: this.#root }) > MOST_JOINS) {
      throw tooLarge(`a flow of more than ${MOST_JOINS} groups, edges and handlers`, `${MOST_JOINS}`)
    }
  }

  #job(signature: SignatureValue, place: Place, first: boolean): Job {
    const job = jobOf(signature, first ? this.#options : this.#later, { ...place, flow: this.#root })
    this.#jobs++
    this.#bytes += Buffer.byteLength(job.body)
    if (this.#jobs > MOST_JOBS) throw tooLarge(`a flow of more than ${MOST_JOBS} jobs`, `${MOST_JOBS}`)
    if (this.#bytes > MOST_BYTES) throw tooLarge('the inputs of this flow', `${MOST_BYTES} bytes in all`)
    return job
  }
}

/** Whether a part succeeds without any job: what comes after it starts with it. */
function isInstant(part: PartValue, depth = 0): boolean {
  if (part.kind === 'signature' || depth > MOST_DEPTH) return false
  return (part.kind === 'chain' ? part.steps : part.members).every((inner) => isInstant(inner, depth + 1))
}

/** What app and task say together, kept: it is the same for every job of a task. */
const grounds = new WeakMap<Settings, WeakMap<Definition, Settings>>()

function groundOf(app: Settings, definition: Definition): Settings {
  const known = grounds.get(app)?.get(definition)
  if (known) return known
  const ground = layer(DEFAULTS, app, definition.settings)
  if (!grounds.has(app)) grounds.set(app, new WeakMap())
  grounds.get(app)!.set(definition, ground)
  return ground
}

/** Filled field by field: this is done for every job, and spreading what is optional takes longer than the rest. */
type Draft<T> = { -readonly [K in keyof T]: T[K] }

function jobOf(signature: SignatureValue, options: CompileOptions, place: Place): Job {
  const { definition, bound, input } = signature
  const own = layer(signature.settings, options.call)
  const all = layer(groundOf(options.app, definition), own)
  const reads = bound !== 'whole' && place.from !== undefined
  if (!reads) options.check(definition, input)
  const call: Draft<Call> = {}
  if (bound !== 'nothing') call.input = input
  if (reads) call.from = place.from!
  if (reads && place.reads) call.reads = place.reads
  if (own.retry) call.retry = own.retry
  if (own.timeout !== undefined) call.timeout = own.timeout
  if (own.headers) call.headers = own.headers
  const job: Draft<Job> = {
    id: place.id,
    task: signature.task,
    queue: all.queue!,
    body: packCall(call, options.payloadLimit),
    priority: all.priority!,
    keep: all.keep as Keep,
  }
  if (all.due) job.due = all.due
  if (all.expiresIn !== undefined) job.expiresIn = all.expiresIn
  if (place.reports) job.reports = place.reports
  if (place.flow !== undefined) job.flow = place.flow
  else if (options.notify !== undefined) job.notify = options.notify
  return job
}

const tooLarge = (what: string, limit: string): UsageError =>
  new UsageError('FLOW_TOO_LARGE', `Refused ${what}: the limit is ${limit}.`)
