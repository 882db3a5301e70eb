import assert from 'node:assert/strict'
import type { Change, Schedule } from '../../port/index.ts'
import { flow, HOUR, MINUTE, SECOND, single, slot } from './build.ts'
import type { Stage, Subject } from './stage.ts'

const fresh = (name: string, due?: number, body = `1"${name}"`): Change => ({
  name,
  version: 0,
  next: { body, ...(due !== undefined && { due }) },
})

/** Write schedules that were not there. */
async function write(stage: Stage, ...changes: Change[]): Promise<Schedule[]> {
  const answers = await stage.backend.schedules.change(changes)
  assert.deepEqual(
    answers,
    changes.map(() => 'applied'),
  )
  return Promise.all(changes.map(({ name }) => read(stage, name)))
}

async function read(stage: Stage, name: string): Promise<Schedule> {
  const [found] = await stage.backend.schedules.get([name])
  assert.ok(found, `Expected the schedule "${name}", got none.`)
  return found
}

const names = (schedules: readonly Schedule[]) => schedules.map(({ name }) => name)

export const schedules: Subject = {
  'a schedule is read as it was written, by every handle': async (stage) => {
    const { now } = await stage.backend.sweep(1)
    const body = '1{"text":"line\\nbreak","more":"\tä\u{1F600}"}\n\u0000end'
    const [written] = await write(stage, fresh('a', now + HOUR, body))
    assert.deepEqual(written, { name: 'a', due: now + HOUR, body, version: written!.version })
    assert.ok(written!.version > 0)
    const other = await stage.another()
    assert.deepEqual(await other.schedules.get(['a', 'b', 'a']), [written, undefined, written])
  },

  'schedules of one namespace are not those of another': async (stage) => {
    await write(stage, fresh('a', 1))
    const other = await stage.elsewhere()
    assert.deepEqual(await other.schedules.get(['a']), [undefined])
    assert.deepEqual(await other.schedules.list(10), [])
    assert.deepEqual((await other.sweep(10)).schedules, [])
  },

  'schedules are listed by name, in pages': async (stage) => {
    await write(stage, fresh('b'), fresh('a', 1), fresh('c c'), fresh('ä'), fresh('B'))
    const all = await stage.backend.schedules.list(10)
    assert.deepEqual(names(all), ['B', 'a', 'b', 'c c', 'ä'])
    assert.deepEqual(all[1], await read(stage, 'a'))
    assert.deepEqual(names(await stage.backend.schedules.list(2)), ['B', 'a'])
    assert.deepEqual(names(await stage.backend.schedules.list(2, 'a')), ['b', 'c c'])
    assert.deepEqual(names(await stage.backend.schedules.list(10, 'c')), ['c c', 'ä'])
    assert.deepEqual(await stage.backend.schedules.list(10, 'ä'), [])
  },

  'a sweep names what is due, the longest first, and says when the next will be': async (stage) => {
    const { now } = await stage.backend.sweep(1)
    await write(
      stage,
      fresh('soon', now + MINUTE),
      fresh('long', now - HOUR),
      fresh('never'),
      fresh('just', now - SECOND),
    )
    const swept = await stage.backend.sweep(10)
    assert.deepEqual(swept.schedules, ['long', 'just'])
    assert.ok(swept.nextDue! > MINUTE - 10 * SECOND && swept.nextDue! <= MINUTE)
    assert.deepEqual((await stage.backend.sweep(1)).schedules, ['long'])
    await stage.advance(MINUTE)
    assert.deepEqual((await stage.backend.sweep(10)).schedules, ['long', 'just', 'soon'])
  },

  'the next due time is the earlier one of jobs and schedules': async (stage) => {
    const { now } = await stage.backend.sweep(1)
    await write(stage, fresh('a', now + HOUR))
    await stage.submit(single({ id: 'job', due: { in: MINUTE } }))
    const first = (await stage.backend.sweep(10)).nextDue!
    assert.ok(first > MINUTE - 10 * SECOND && first <= MINUTE)
    await write(stage, fresh('b', now + 30 * SECOND))
    const second = (await stage.backend.sweep(10)).nextDue!
    assert.ok(second > 20 * SECOND && second <= 30 * SECOND)
  },

  'a change on another version than the stored one writes nothing and fires nothing': async (stage) => {
    const [first] = await write(stage, fresh('a', 1))
    const { change } = stage.backend.schedules
    const firing = single({ id: 'a@1' })
    const next = { body: '1"new"' }
    for (const version of [0, first!.version - 1, first!.version + 1]) {
      assert.deepEqual(await change([{ name: 'a', version, next, firing }]), ['stale'])
    }
    assert.deepEqual(await change([{ name: 'none', version: 1, next, firing }]), ['stale'])
    assert.deepEqual(await read(stage, 'a'), first)
    assert.equal(await stage.state('a@1'), 'unknown')
    assert.deepEqual(await change([{ name: 'a', version: first!.version, next, firing }]), ['applied'])
    assert.equal((await read(stage, 'a')).body, '1"new"')
    assert.deepEqual((await stage.backend.sweep(10)).schedules, [])
    assert.equal(await stage.state('a@1'), 'waiting')
  },

  'a schedule that is removed is gone, and its version never comes again': async (stage) => {
    const [first] = await write(stage, fresh('a', 1))
    const { change, get, list } = stage.backend.schedules
    assert.deepEqual(await change([{ name: 'a', version: first!.version }]), ['applied'])
    assert.deepEqual(await get(['a']), [undefined])
    assert.deepEqual(await list(10), [])
    assert.deepEqual((await stage.backend.sweep(10)).schedules, [])
    const [again] = await write(stage, fresh('a', 1))
    assert.notEqual(again!.version, first!.version)
    const late: Change = { name: 'a', version: first!.version, firing: single({ id: 'a@1' }) }
    assert.deepEqual(await change([late]), ['stale'])
    assert.equal(await stage.state('a@1'), 'unknown')
  },

  'what a change fires runs like any other job, also delayed and with nothing kept': async (stage) => {
    const keep = { succeeded: 0, failed: 0 }
    await write(
      stage,
      { ...fresh('plain'), firing: single({ id: 'plain@1' }) },
      { ...fresh('late'), firing: single({ id: 'late@1', due: { in: HOUR } }) },
      { ...fresh('unkept'), firing: single({ id: 'unkept@1', keep }) },
    )
    assert.deepEqual(await stage.states(['plain@1', 'late@1', 'unkept@1']), [
      'waiting',
      'scheduled',
      'waiting',
    ])
    const worker = await stage.worker()
    await worker.finishes(await worker.takesAll(['plain@1', 'unkept@1']))
    assert.deepEqual(await stage.states(['plain@1', 'unkept@1']), ['succeeded', 'unknown'])
  },

  'what a change fires may be a flow': async (stage) => {
    const firing = flow('a@1', {
      joins: [
        {
          id: 'a@1/0>',
          size: 1,
          reports: slot('a@1'),
          release: { jobs: [{ ...single({ id: 'a@1/1' }).jobs[0]!, flow: 'a@1', reports: slot('a@1') }] },
        },
      ],
      jobs: [{ id: 'a@1/0', reports: slot('a@1/0>') }],
    })
    await write(stage, { ...fresh('a'), firing })
    const worker = await stage.worker()
    await worker.runs('a@1/0')
    await worker.runs('a@1/1')
    assert.equal(await stage.state('a@1'), 'succeeded')
  },

  'a firing whose id is known makes no second job, and the schedule moves on': async (stage) => {
    await stage.submit(single({ id: 'a@1', body: '1"first"' }))
    await write(stage, { ...fresh('a', 5), firing: single({ id: 'a@1', body: '1"second"' }) })
    assert.equal((await stage.job('a@1')).job.body, '1"first"')
    assert.equal((await read(stage, 'a')).due, 5)
    assert.equal((await stage.backend.records.list({}, 10)).jobs.length, 1)
  },

  'of many that fire a schedule at once, through several handles, one does': async (stage) => {
    const keep = { succeeded: 0, failed: 0 }
    const all = await write(stage, ...Array.from({ length: 20 }, (_, i) => fresh(`s${i}`, 1)))
    const handles = [stage.backend, await stage.another(), await stage.another()]
    const worker = await stage.worker()
    const answers = await Promise.all(
      handles.map((handle, h) =>
        handle.schedules.change(
          all.map(({ name, version }) => ({
            name,
            version,
            next: { body: '1"fired"' },
            firing: single({ id: `${name}@1`, body: `1${h}`, keep }),
          })),
        ),
      ),
    )
    for (const i of all.keys()) {
      assert.deepEqual(answers.map((each) => each[i]).sort(), ['applied', 'stale', 'stale'])
    }
    await worker.finishes(await worker.takesAll(all.map(({ name }) => `${name}@1`)))
    await worker.findsNothing()
  },

  'many changes in one call stand each by itself': async (stage) => {
    const many = Array.from({ length: 250 }, (_, i) => fresh(`s${i}`, i + 1))
    const [first] = await write(stage, ...many)
    const { change } = stage.backend.schedules
    const answers = await change([
      { name: 's0', version: first!.version + 10_000, next: { body: '1"no"' }, firing: single({ id: 'no' }) },
      { name: 's0', version: first!.version, next: { body: '1"yes"' }, firing: single({ id: 'yes' }) },
      { name: 's0', version: first!.version, next: { body: '1"late"' }, firing: single({ id: 'late' }) },
      { name: 'new', version: 0, next: { body: '1"new"' } },
    ])
    assert.deepEqual(answers, ['stale', 'applied', 'stale', 'applied'])
    assert.deepEqual(await stage.states(['no', 'yes', 'late']), ['unknown', 'waiting', 'unknown'])
    assert.equal((await stage.backend.sweep(100)).schedules.length, 100)
  },
}
