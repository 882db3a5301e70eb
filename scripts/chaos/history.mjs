import { ATTEMPTS } from './plan.mjs'

/** @typedef {import('./types.ts').Entry} Entry */
/** @typedef {import('./types.ts').Evidence} Evidence */
/** @typedef {import('./types.ts').Verdict} Verdict */
/** @typedef {import('./types.ts').Work} Work */
/** @typedef {import('millrace').JobInfo} JobInfo */

const FINAL = ['succeeded', 'failed', 'cancelled', 'expired']

/** A delay is kept in whole milliseconds of the wall clock, which is slewed against the monotonic one. */
const TOLERANCE = 2

/**
 * The history of a storm, judged as Jepsen judges a queue: what was accepted must have ended, each once,
 * as planned. Two finishes show themselves in five ways: two were answered `applied`; a job was handed out
 * after one was, or one was after it had been handed out anew; the record holds another run's result than
 * the one applied; or the backend counted two.
 *
 * @param {Evidence} evidence
 * @returns {Verdict}
 */
export function judge({ plans, journal, jobs, flows, ends = [] }) {
  const seen = histories(journal)
  const endedAgain = new Set(ends.filter(({ again }) => again).map(({ id }) => id))
  /** @type {{ lost: string[], twice: string[], stuck: string[], wrong: string[], early: string[] }} */
  const found = { lost: [], twice: [], stuck: [], wrong: [], early: [] }
  let accepted = 0
  let chords = 0
  let finishedOnce = 0
  let skipped = 0
  let workerLost = 0

  for (const plan of plans) {
    const told = seen.get(plan.id)
    if (told?.accepted === undefined) continue
    if (plan.kind === 'job') {
      accepted++
      judgeWork(plan.id, plan.work, jobs.get(plan.id))
      checkDue(plan.id, plan, told)
    } else {
      chords++
      accepted += plan.members.length + 1
      judgeChord(plan, told)
    }
  }
  for (const id of endedAgain) if (!found.twice.includes(id)) found.twice.push(id)

  return {
    ...found,
    accepted,
    chords,
    finishedOnce,
    skipped,
    workerLost,
    runs: journal.filter(({ did }) => did === 'run').length,
    refused: journal.filter(({ answer }) => answer === 'stale').length,
  }

  /** @param {import('./types.ts').Plan & { kind: 'chord' }} plan @param {History} told */
  function judgeChord({ id, members, delay }, told) {
    const flow = flows.get(id)
    if (!flow || flow.steps.length !== members.length + 1) {
      found.lost.push(...[...members, 'body'].map((_, i) => `${id} step ${i}`))
      return
    }
    let well = true
    let sum = 0
    flow.steps.slice(0, -1).forEach((step, i) => {
      const work = /** @type {Work} */ (members[i])
      sum += work.n
      judgeWork(step.id, work, step.job)
      checkDue(step.id, { delay }, told)
      if (step.state !== 'succeeded') well = false
    })
    const body = /** @type {import('millrace').FlowStep} */ (flow.steps.at(-1))
    if (well) judgeBody(body.id, sum, body.job)
    else if (body.state === 'skipped') skipped++
    else if (body.state === 'pending') found.stuck.push(`${body.id} pending`)
    else found.wrong.push(`${body.id} is ${body.state}, and a member of it failed`)
    if (flow.state === 'active') found.stuck.push(`${id} active`)
    else if ((body.job?.state === 'succeeded') !== (flow.state === 'succeeded')) {
      found.wrong.push(`${id} is ${flow.state}, and its body ${body.state}`)
    }
  }

  /** @param {string} id @param {Work} work @param {JobInfo | undefined} job */
  function judgeWork(id, { n, fails }, job) {
    if (!judgeEnd(id, job)) return
    if (fails >= ATTEMPTS) expect(id, job, 'failed', ATTEMPTS)
    else expect(id, job, 'succeeded', fails + 1, n)
  }

  /** @param {string} id @param {number} sum @param {JobInfo | undefined} job */
  function judgeBody(id, sum, job) {
    if (judgeEnd(id, job)) expect(id, job, 'succeeded', 1, sum)
  }

  /** Whether it has come to its one end. @param {string} id @param {JobInfo | undefined} job @returns {job is JobInfo} */
  function judgeEnd(id, job) {
    if (!job) {
      found.lost.push(id)
      return false
    }
    if (!FINAL.includes(job.state)) {
      found.stuck.push(`${id} ${job.state}`)
      return false
    }
    const reason = endedAgain.has(id) ? 'ended twice in the backend' : twice(seen.get(id), runOf(job))
    if (reason) {
      found.twice.push(`${id}: ${reason}`)
      endedAgain.delete(id)
    } else finishedOnce++
    return true
  }

  /** @param {string} id @param {JobInfo} job @param {string} state @param {number} attempt @param {number} [n] */
  function expect(id, job, state, attempt, n) {
    const { error, result } = job
    if (error?.code === 'WORKER_LOST' && job.crashes >= 3) {
      workerLost++
      return
    }
    const as = `${job.state} at attempt ${job.attempt}${error ? ` with ${error.code}` : ''}`
    if (job.state !== state || job.attempt !== attempt) {
      found.wrong.push(`${id} ${as}, expected ${state} at attempt ${attempt}`)
    } else if (n !== undefined && /** @type {{ n: number }} */ (result).n !== n) {
      found.wrong.push(`${id} has the result ${JSON.stringify(result)}, expected ${n}`)
    }
  }

  /** @param {string} id @param {{ delay: number }} plan @param {History} told */
  function checkDue(id, { delay }, told) {
    const first = seen.get(id)?.firstRun
    if (first === undefined || told.tried === undefined) return
    const early = told.tried + delay - first
    if (early > TOLERANCE) found.early.push(`${id} by ${early.toFixed(1)} ms`)
  }
}

/**
 * @typedef {object} History of one id
 * @property {number} [tried] when it was first about to be enqueued
 * @property {number} [accepted]
 * @property {number} [firstRun]
 * @property {number} newest token handed out
 * @property {number} [unfenced] token of a finish that was asked for after a newer one was handed out, and applied
 * @property {number} [endedBy] the token of the first final end that was answered `applied`
 * @property {Set<string>} applied final ends by delivery and run: to repeat one of them is no second one
 * @property {string} [run] whose result was applied
 * @property {Map<number, number>} finishes the newest token when the finish of a token was asked for
 */

/** @param {readonly Entry[]} journal in the order of time @returns {Map<string, History>} */
function histories(journal) {
  /** @type {Map<string, History>} */
  const all = new Map()
  for (const { did, id, at, token, run, end, answer } of journal) {
    let history = all.get(id)
    if (!history) {
      history = { applied: new Set(), finishes: new Map(), newest: 0 }
      all.set(id, history)
    }
    if (did === 'try') history.tried ??= at
    else if (did === 'accepted') history.accepted ??= at
    else if (did === 'run') history.firstRun ??= at
    else if (did === 'take') history.newest = Math.max(history.newest, token ?? 0)
    else if (did === 'finish') history.finishes.set(token ?? 0, history.newest)
    else if (did === 'answer' && answer === 'applied' && FINAL.includes(end ?? '')) {
      history.endedBy ??= token
      if (token !== undefined && (history.finishes.get(token) ?? 0) > token) history.unfenced = token
      history.applied.add(`${token} ${run}`)
      if (run !== undefined) history.run = run
    }
  }
  return all
}

/** @param {History | undefined} history @param {string | undefined} run of the record's result */
function twice(history, run) {
  if (!history) return undefined
  const { applied, endedBy, newest, unfenced } = history
  if (applied.size > 1) return `${applied.size} finishes were applied`
  if (unfenced !== undefined) return `delivery ${unfenced} was applied after a later one was handed out`
  // By tokens, not by time: a process may be stopped before it notes what it was given.
  if (endedBy !== undefined && newest > endedBy) return 'handed out after its end'
  if (history.run !== undefined && run !== history.run) {
    return `the result is of run ${run}, and that of ${history.run} was applied`
  }
  return undefined
}

/** @param {JobInfo} job @returns {string | undefined} */
const runOf = ({ result }) => /** @type {{ run?: string } | undefined} */ (result)?.run
