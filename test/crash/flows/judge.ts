import assert from 'node:assert/strict'
import type { FlowTree, JobInfo } from 'millrace'
import { outputOf } from './tasks.mjs'
import { DOOMED, type Fate, OWN, type StepValue, type Value } from './value.ts'

/** What became of a part, by what became of its steps, each taken by itself. */
type Course = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

export interface Judgement {
  readonly course: Course
  /** Places of the steps that did not succeed, in the order of declaration. */
  readonly failures: readonly string[]
  /** Places of all that has a record. */
  readonly records: readonly string[]
}

/**
 * The sequential oracle: given the end of every step, taken by itself, what the flow must have come to when
 * its parts run one after the other. Throws for a step that has no business to be as it is.
 *
 * @param mended - nothing fails any more but what expires
 */
export function judge(value: Value, tree: FlowTree, mended: boolean): Judgement {
  const nodes = new Map<string, FlowTree>()
  const records: string[] = []
  const failures: string[] = []
  const placeOf = (id: string) => id.slice(tree.id.length + 1)
  collect(tree)
  const course = visit(value, '0', 'start', true, false)
  return { course: course.ok ? { ok: true, value: [course.value] } : course, failures, records }

  function collect(node: FlowTree): void {
    if (node.task !== undefined) nodes.set(placeOf(node.id), node)
    if (node.job) records.push(placeOf(node.id))
    for (const child of [...node.children, ...node.handlers]) collect(child)
  }

  /** @param doubtful - below the mark of a group with `cancelSiblings`: it may be cancelled, or not reached */
  function visit(part: Value, place: string, input: unknown, reached: boolean, doubtful: boolean): Course {
    const before = failures.length
    const course =
      part.kind === 'step'
        ? step(part, place, input, reached, doubtful)
        : part.kind === 'chain'
          ? chain(part.parts, place, input, reached, doubtful)
          : group(part, place, input, reached, doubtful)
    handlers(part, place, course, reached, doubtful, failures.slice(before))
    return course
  }

  function chain(
    parts: readonly Value[],
    place: string,
    input: unknown,
    reached: boolean,
    doubtful: boolean,
  ): Course {
    let course: Course = reached ? { ok: true, value: input } : { ok: false }
    for (const [i, part] of parts.entries()) {
      const given = course.ok ? course.value : undefined
      course = visit(part, `${place}.${i}`, given, course.ok, doubtful)
    }
    return course
  }

  function group(
    { parts, cancelSiblings }: Value & { kind: 'group' },
    place: string,
    input: unknown,
    reached: boolean,
    doubtful: boolean,
  ): Course {
    // Where all members succeeded, nothing was cancelled: then the doubt does no harm.
    const inner = doubtful || cancelSiblings
    const before = failures.length
    const courses = parts.map((part, i) => visit(part, `${place}.${i}`, input, reached, inner))
    const bad = courses.some((course) => !course.ok)
    if (reached && bad && cancelSiblings && !doubtful) {
      assert.ok(failures.slice(before).some(byItself), `Expected a failure in ${place} to cancel the others.`)
    }
    if (!reached || bad) return { ok: false }
    return { ok: true, value: courses.map((course) => (course.ok ? course.value : undefined)) }
  }

  /** Whether this step failed for a reason of its own. */
  function byItself(place: string): boolean {
    const { state, job } = nodes.get(place)!
    return state === 'failed' || state === 'expired' || job?.queue === DOOMED
  }

  function step(
    { fate, detached }: StepValue,
    place: string,
    input: unknown,
    reached: boolean,
    doubtful: boolean,
  ): Course {
    const { state, job, cause } = nodes.get(place)!
    if (!job) {
      assert.ok(!reached || doubtful, `Expected ${place} to be reached, it is ${state}.`)
      assert.ok(
        state === 'skipped' || state === 'cancelled',
        `Expected ${place} to be skipped, it is ${state}.`,
      )
      if (state === 'skipped' && !doubtful) assert.ok(cause, `Expected ${place} to say why it is skipped.`)
      return { ok: false }
    }
    assert.ok(reached, `Expected ${place} not to be reached, it is ${state}.`)
    const fine = ends(fate, mended).includes(state) || isLost(job) || (doubtful && state === 'cancelled')
    assert.ok(fine, `Expected ${place} (${fate}) not to be ${state}.`)
    if (state !== 'succeeded') {
      failures.push(place)
      return { ok: false }
    }
    const value = outputOf(place, detached ? OWN : input)
    assert.equal(job.result, value, `the value of ${place}`)
    return { ok: true, value }
  }

  function handlers(
    part: Value,
    place: string,
    course: Course,
    reached: boolean,
    doubtful: boolean,
    failed: readonly string[],
  ): void {
    const cases = [
      { on: part.onError, name: 'error', occurred: reached && !course.ok },
      { on: part.onSuccess, name: 'success', occurred: reached && course.ok },
    ]
    for (const { on, name, occurred } of cases) {
      const id = `${place}!${name}`
      const node = nodes.get(id)
      assert.equal(node !== undefined, on, `the declaration of ${id}`)
      if (!node?.job) {
        assert.ok(!node || !occurred || doubtful, `Expected ${id} to have run, it is ${node?.state}.`)
        continue
      }
      assert.ok(occurred, `Expected ${id} not to run, it is ${node.state}.`)
      if (isLost(node.job)) continue
      assert.equal(node.state, 'succeeded', `the state of ${id}`)
      if (course.ok) assert.deepEqual(node.job.result, course.value, `what ${id} was told`)
      else told(id, node.job.result as string[], failed, isHasty(part))
    }
  }

  function told(id: string, places: readonly string[], failed: readonly string[], some: boolean): void {
    if (some)
      assert.ok(
        places.every((place) => failed.includes(place)),
        `what ${id} was told: ${places}`,
      )
    else assert.deepEqual(places, failed, `what ${id} was told`)
  }
}

/** Whether what is told at the first failure may be less than what fails in the end. */
const isHasty = (part: Value): boolean =>
  part.kind !== 'step' && ((part.kind === 'group' && part.failFast) || part.parts.some(isHasty))

/** Three workers were killed under it: that may happen to any job here. */
const isLost = ({ error, crashes }: JobInfo): boolean => error?.code === 'WORKER_LOST' && crashes === 3

function ends(fate: Fate, mended: boolean): readonly string[] {
  if (fate === 'expire') return mended ? ['expired', 'succeeded'] : ['expired']
  if (mended) return ['succeeded']
  if (fate === 'fail') return ['failed']
  if (fate === 'cancel') return ['cancelled']
  return fate === 'poison' ? [] : ['succeeded']
}
