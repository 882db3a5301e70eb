import assert from 'node:assert/strict'
import type { Backend, Delivery, End, Job, Join, Outcome } from '../../../src/port/index.ts'
import { type Body, compile, EXPIRES, HOUR } from './compile.ts'
import { createCrew, type Hand } from './crew.ts'
import { reader } from './read.ts'
import { expected, type Value } from './value.ts'

/** What decides at every turn; 0, the dullest choice, once it is used up. */
export interface Course {
  readonly choices: readonly number[]
  /** The turn at which the flow is cancelled, if it is. */
  readonly cancelAt: number | undefined
}

/** A namespace on which flows run one after the other, and its clock. */
export interface Ground {
  readonly backends: readonly Backend[]
  offset: number
  runs: number
}

/**
 * Run one flow to its end on several workers that retry, hand back, crash and repeat themselves as the course
 * says, and compare what became of it with the oracle. At last the records must go.
 */
export async function runFlow(ground: Ground, flow: Value, course: Course): Promise<void> {
  const [front, back = front] = ground.backends as [Backend, Backend?]
  const root = `flow${++ground.runs}`
  const submission = compile(flow, root, root)
  const sizes = new Map(submission.joins!.map(({ id, size }) => [id, size]))
  const read = reader(back.records, sizes)
  const jobs = new Map(
    [...submission.jobs, ...submission.joins!.flatMap(laterJobs)].map((job) => [job.id, job]),
  )
  let turn = 0
  const choose = (among: number) => (course.choices[turn++] ?? 0) % among

  async function sweep(): Promise<number> {
    let all = 0
    for (let moved = 1; moved > 0; all += moved) moved = (await back.sweep(3)).moved
    return all
  }
  async function pass(time: number): Promise<void> {
    ground.offset += time
    await front.control.shiftClock(ground.offset)
    await sweep()
  }
  async function counts(): Promise<Map<string, number>> {
    const ours = (await back.records.counts()).filter(({ queue }) => queue.startsWith(root))
    return new Map(ours.map(({ queue, state, count }) => [`${queue} ${state}`, count]))
  }

  await using crew = await createCrew([front, back, front], root, jobs, pass)
  assert.deepEqual(await front.submit([submission]), [{ id: root, status: 'accepted' }])

  let cancelled: Cancelled | undefined
  for (let step = 0; ; step++) {
    assert.ok(step < 3_000, 'Expected the flow to come to an end.')
    if (step === course.cancelAt) cancelled = await cancel()
    const states = await counts()
    const waiting = states.get(`${root} waiting`) ?? 0
    const idle = crew.hands.filter(({ held }) => held.length === 0)
    const busy = crew.hands.filter(({ held }) => held.length > 0)
    if (choose(8) === 7) assert.equal((await back.submit([submission]))[0]?.status, 'duplicate')
    if (waiting > 0 && idle.length > 0 && (busy.length === 0 || choose(2) === 0)) {
      await crew.take(idle[choose(idle.length)]!, 1 + choose(4))
    } else if (busy.length > 0) {
      await work(busy[choose(busy.length)]!)
    } else if ([...states.keys()].some((key) => /waiting|scheduled|retrying/.test(key))) {
      await wait(states)
    } else if ((await sweep()) === 0) break
  }
  await check()
  await forgotten()

  /** One turn of a worker that holds something. */
  async function work(hand: Hand): Promise<void> {
    const act = choose(6)
    const sound = hand.held.filter((delivery) => bodyOf(delivery).fate !== 'poison')
    const mayDie = sound.every(({ job }) => crew.crashes(job.id) < 2)
    if (mayDie && (act === 5 || sound.length === 0)) return crew.lose(hand)
    const some = act === 4 ? sound : sound.slice(0, 1)
    const outcomes: Outcome[] = []
    for (const delivery of some) outcomes.push({ delivery, ran: 1, end: await endOf(delivery) })
    await crew.finish(hand, outcomes)
    if (act >= 2) await crew.repeat(crew.hands[choose(crew.hands.length)]!)
  }

  async function endOf(delivery: Delivery): Promise<End> {
    const act = choose(12)
    if (act === 9) return { kind: 'again', delay: 0, counts: true, error: '"again"' }
    if (act === 10) return { kind: 'again', delay: 60_000, counts: false }
    if (act === 11) return { kind: 'back' }
    const { path, fate, input } = bodyOf(delivery)
    if (fate === 'fail') return { kind: 'final', state: 'failed', result: '"broken"' }
    const value = [path, input ? await read.value(input.join) : 'start']
    return { kind: 'final', state: 'succeeded', result: JSON.stringify(value) }
  }

  /** Nothing can be taken: let time pass, and cancel what is fated to be. */
  async function wait(states: ReadonlyMap<string, number>): Promise<void> {
    if (states.has(`${root}-unserved waiting`)) {
      for (const job of jobs.values()) {
        if ((JSON.parse(job.body) as Body).fate !== 'cancel') continue
        // One that is cancelled may take its siblings with it.
        const [there] = await back.records.get([job.id])
        if (there?.state === 'waiting') assert.deepEqual(await back.control.cancel([job.id]), ['cancelled'])
      }
    }
    await pass(Math.max(EXPIRES, 60_000) + 1)
  }

  async function cancel(): Promise<Cancelled> {
    const [answer] = await back.control.cancel([root])
    const records = await front.records.get([...jobs.keys()])
    const handlers = [...jobs.keys()].filter((id, i) => id.endsWith('!e') && records[i])
    return { effective: answer !== 'final', handlers, started: new Set(crew.started) }
  }

  async function check(): Promise<void> {
    const ids = [...jobs.keys()]
    const records = await front.records.get(ids)
    const states = new Map(ids.map((id, i) => [id, records[i]?.state]))
    for (const [id, state] of states) {
      assert.ok(
        !state || !/waiting|scheduled|retrying|active/.test(state),
        `Expected "${id}" to end, it is ${state}.`,
      )
    }
    const handlers = ids.filter((id) => id.endsWith('!e') && states.get(id))
    const [flowRecord] = await front.records.get([root])
    if (cancelled?.effective) {
      const joins = new Map(
        (await front.records.joins([...sizes.keys()])).map((record) => [record!.join.id, record!.state]),
      )
      const { result } = expected(flow, (path, fate) =>
        fate ? states.get(`${root}/${path}`) === 'succeeded' : joins.get(`${root}/${path}*`) === 'succeeded',
      )
      assert.equal(flowRecord?.state, result.ok ? 'succeeded' : 'cancelled')
      assert.deepEqual(handlers, cancelled.handlers)
      for (const id of crew.started) {
        assert.ok(
          cancelled.started.has(id) || id.endsWith('!e'),
          `Expected "${id}" not to start below a mark.`,
        )
      }
      return
    }
    const { result, handled, perhaps, racing } = expected(flow, (_, fate = 'ok') => fate === 'ok')
    assert.equal(flowRecord?.state, result.ok ? 'succeeded' : 'failed')
    if (result.ok) assert.deepEqual(await read.value(root), result.value)
    else if (!racing) assert.deepEqual(await read.errors(root), result.errors)
    const ran = handlers.map((id) => id.slice(root.length + 1, -'!e'.length))
    for (const path of handled) assert.ok(ran.includes(path), `Expected the error handler of ${path} to run.`)
    for (const path of ran) {
      assert.ok([...handled, ...perhaps].includes(path), `Expected no error handler of ${path}.`)
    }
    for (const id of handlers) assert.equal(states.get(id), 'succeeded')
  }

  async function forgotten(): Promise<void> {
    await pass(HOUR + 1)
    const left = await front.records.get([root, ...jobs.keys()])
    assert.ok(left.every((record) => record === undefined))
    assert.ok((await front.records.joins([...sizes.keys()])).every((join) => join === undefined))
    assert.equal((await counts()).size, 0)
  }
}

interface Cancelled {
  /** Whether the flow was still open. */
  readonly effective: boolean
  /** Error handlers that had been queued by then. */
  readonly handlers: readonly string[]
  readonly started: ReadonlySet<string>
}

const bodyOf = ({ job }: Delivery): Body => JSON.parse(job.body)

const laterJobs = ({ release, otherwise }: Join): Job[] => [
  ...(release?.jobs ?? []),
  ...(otherwise ? [otherwise] : []),
]
