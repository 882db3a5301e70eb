/** What must and what must not compile. Nothing here is run; `tsc -p .` is the test. */
import * as v from 'valibot'
import { z } from 'zod'
import { chain, chord, chunks, type Flow, group, map, type OpenFlow } from '../../src/core/flow.ts'
import type {
  Complete,
  Fits,
  FittingAll,
  MemberIsComplete,
  OutputOf,
  Start,
  Step,
  StepDoesNotFit,
  StepIsComplete,
  StillNeeds,
} from '../../src/core/part.ts'
import type { Signature } from '../../src/core/signature.ts'
import { type Runnable, task } from '../../src/core/task.ts'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Is<A extends true> = A
declare function enqueue<P>(what: P & Complete<P>): OutputOf<P>
declare function worker(options: { tasks: readonly Runnable[] }): void

const thumbnail = task(
  'image.thumbnail',
  { input: z.object({ key: z.string(), width: z.number().int().default(320) }), timeout: '30s' },
  async ({ key, width }, { signal }) => {
    signal.throwIfAborted()
    return { key, width }
  },
)
const album = task(
  'album',
  { input: z.array(z.object({ key: z.string(), width: z.number() })) },
  (images) => ({ pages: images.length }),
)
const notify = task('notify', { input: z.object({ pages: z.number() }) }, async ({ pages }) => `${pages}`)
const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const inc = task('inc', (n: number) => n + 1)
const nothing = task('nothing', () => 3)
const resize = task('resize', {
  input: z.object({ key: z.string(), width: z.coerce.number() }),
  output: z.object({ url: z.string(), n: z.number().default(1) }),
})
const widthOf = task('width', (list: readonly number[]) => ({ width: list.length }))
const textWidthOf = task('text-width', (list: readonly number[]) => ({ width: String(list.length) }))

const text = task('text', { input: v.object({ a: v.pipe(v.string(), v.transform(Number)) }) }, ({ a }) => a)
const toText = task('to-text', (n: number) => ({ a: String(n) }))

// ---- chains
export const one = chain(add.with({ x: 1, y: 2 }))
export type One = Is<Eq<OutputOf<typeof one>, number>>
enqueue(one)

export const oneOpen = chain(inc)
chain(add.with({ x: 1, y: 2 }), oneOpen, oneOpen)
// @ts-expect-error an open chain can't be enqueued
enqueue(oneOpen)

// A task that takes no input needs none bound.
enqueue(task('tick', async () => 1)) satisfies number
enqueue(task('tock', (_: undefined) => 'x')) satisfies string
// @ts-expect-error it takes a number
enqueue(task('count', (n: number) => n))
// @ts-expect-error no step
chain()

const shots = group(['a'].map((key) => thumbnail.with({ key })))
export const nightly = chain(shots, album, notify)
export type Nightly = Is<Eq<OutputOf<typeof nightly>, string>>
enqueue(nightly)

export const twelve = chain(inc.with(1), inc, inc, inc, inc, inc, inc, inc, inc, inc, inc, inc)
export type Twelve = Is<Eq<typeof twelve, Flow<number>>>
// @ts-expect-error the last of twelve does not fit
chain(inc.with(1), inc, inc, inc, inc, inc, inc, inc, inc, inc, inc, notify)

const rest = Array.from({ length: 999 }, () => inc)
export const thousand = chain(inc.with(1), ...rest)
enqueue(thousand)
chain(inc.with(1), ...rest, inc)
export const spread = chain(inc.with(1), ...rest, toText, text)
export type Spread = Is<Eq<OutputOf<typeof spread>, number>>
// @ts-expect-error the spread steps don't take their own result
chain(inc.with(1), ...[album])
// @ts-expect-error the step after the spread does not fit
chain(inc.with(1), ...rest, notify)

// @ts-expect-error notify wants pages
chain(thumbnail.with({ key: 'a' }), notify)
export const partial = chain(thumbnail.with({ key: 'a' }), resize.with({ width: 200 }))
export type Partially = Is<Eq<OutputOf<typeof partial>, { url: string; n: number }>>
// @ts-expect-error fully bound: it would drop the previous value
chain(thumbnail.with({ key: 'a' }), add.with({ x: 1, y: 2 }))
chain(thumbnail.with({ key: 'a' }), add.with({ x: 1, y: 2 }).detached(), inc)
chain(inc.with(1), chain(add.with({ x: 1, y: 1 }), inc).detached())
// @ts-expect-error a complete chain would drop the previous value
chain(inc.with(1), chain(add.with({ x: 1, y: 1 }), inc))
chain(inc.with(1), nothing)

// @ts-expect-error the only field left is optional, but a number has none
chain(inc.with(1), thumbnail.with({ key: 'a' }))
chain(group([inc.with(1)]), widthOf, thumbnail.with({ key: 'a' }))
chain(group([inc.with(1)]), widthOf, group(['a', 'b'].map((key) => thumbnail.with({ key }))), album)
// @ts-expect-error a width of another type
chain(group([inc.with(1)]), textWidthOf, thumbnail.with({ key: 'a' }))

// ---- a chain as body, a group after a group
enqueue(chain(shots, chain(album, notify)))
export const inner = chain(album, notify)
export type Inner = Is<Eq<typeof inner, OpenFlow<{ key: string; width: number }[], string>>>
// @ts-expect-error the body does not take the list
chain(shots, chain(notify, inc))

const numbers = group([inc.with(1), inc.with(2)])
const sum = task('sum', (list: readonly number[]) => list.reduce((a, b) => a + b))
const count = task('count', (list: readonly unknown[]) => list.length)
export const both = chain(numbers, group([sum, count]), sum)
export type Both = Is<Eq<typeof both, Flow<number>>>
enqueue(both)
// @ts-expect-error one of the members does not take the list
chain(numbers, group([sum, notify]))
// @ts-expect-error a complete member among waiting ones
group([sum, inc.with(1)])
chain(numbers, group([sum, inc.with(1).detached()]), sum)
// @ts-expect-error all members complete: the previous value would be dropped
chain(numbers, group([inc.with(1), inc.with(2)]))
chain(numbers, numbers.detached())
chain(numbers, group([]), count)
enqueue(group([]))

// ---- what groups result in
export const tuple = group([thumbnail.with({ key: 'a' }), add.with({ x: 1, y: 2 })])
export type Tuple = Is<Eq<typeof tuple, Flow<[{ key: string; width: number }, number]>>>
export const nested = group([group([inc.with(1), inc.with(2)]), chain(inc.with(3), inc)])
export type Nested = Is<Eq<OutputOf<typeof nested>, [[number, number], number]>>
export type Empty = Is<Eq<OutputOf<ReturnType<typeof group<[]>>>, []>>
group([inc.with(1)], { failFast: true, cancelSiblings: true })
// @ts-expect-error no such option
group([inc.with(1)], { failfast: true })

// ---- chord, map, chunks
export const machinery = chord([add.with({ x: 1, y: 1 }), add.with({ x: 2, y: 2 })], sum)
export type Machinery = Is<Eq<OutputOf<typeof machinery>, number>>
enqueue(machinery)
// @ts-expect-error the body does not take the list
chord([inc.with(1)], notify)

export const mapped = map(thumbnail, [{ key: 'a' }, { key: 'b', width: 2 }])
export type Mapped = Is<Eq<typeof mapped, Flow<{ key: string; width: number }[]>>>
enqueue(chain(mapped, album, notify))
map(chain(inc, inc), [1, 2, 3])
map(resize.with({ width: 3 }), [{ key: 'a' }])
// @ts-expect-error an input of another type
map(inc, ['a'])
// @ts-expect-error a complete signature takes no input
map(inc.with(1), [2])
export const chunked = chunks(sum, [1, 2, 3], 2)
export type Chunked = Is<Eq<typeof chunked, Flow<number[]>>>
// @ts-expect-error not a task that takes a list
chunks(inc, [1, 2, 3], 2)

// ---- onError, onSuccess, options
const report = task('report', ({ code, message }: { code: string; message: string }) => `${code} ${message}`)
enqueue(inc.with(1).onError(report).onSuccess(inc).options({ delay: '5s', priority: 3, queue: 'slow' }))
enqueue(
  chain(inc.with(1), inc.options({ queue: 'slow' })).onError(
    report.with({ code: 'X', message: 'y' }).detached(),
  ),
)
enqueue(chain(inc.with(1), inc.onError(report)))
enqueue(nightly.onError(report.options({ queue: 'urgent' })).onSuccess(task('log', (text: string) => text)))
chain(numbers, sum.onSuccess(inc), inc)
// @ts-expect-error it has its whole input: the failure would be dropped
nightly.onError(report.with({ code: 'X', message: 'y' }))
nightly.onError(report.with({ code: 'X' }))
// @ts-expect-error notify does not take a failure
nightly.onError(notify)
// @ts-expect-error inc does not take the result
nightly.onSuccess(inc)
// @ts-expect-error a flow is no handler
nightly.onError(chain(report, notify))
// @ts-expect-error no such option
inc.with(1).options({ dealy: '5s' })
const kept = chain(
  inc.with(1),
  thumbnail.with({ key: 'a' }).options({ priority: 1 }).detached(),
  resize.with({ width: 1 }),
)
enqueue(kept)

// ---- results fit or not, whatever the schema library
enqueue(chain(inc.with(1), toText, text, inc))
const toNumber = task('to-number', (a: number) => ({ a }))
// @ts-expect-error text takes the field as a string
chain(inc.with(1), toNumber, text)
const anything = task('anything', { input: z.any() }, (value) => value)
chain(inc.with(1), anything, inc)

// ---- variance
export const covariant: Start<{ key: string }> = thumbnail.with({ key: 'a' })
export const contravariant: Step<{ pages: number; more: string }, unknown> = notify
// @ts-expect-error a step that needs pages does not take everything
export const wrong: Step<unknown, unknown> = notify
export const list: Signature<unknown>[] = [thumbnail.with({ key: 'a' }), inc.with(1)]
enqueue(group(list))
worker({ tasks: [thumbnail, album, notify, add, inc, nothing, sum, count, report] })

// ---- one of several, chosen at run time: each must fit
declare const coin: boolean
const either = task('either', (value: number | string) => value)
const shout = task('shout', (words: string) => words)
enqueue(coin ? inc.with(1) : chain(shout.with('a')))
chain(inc.with(1), coin ? inc : either)
chain(coin ? inc.with(1) : shout.with('a'), either)
chain(inc.with(1), coin ? inc : inc.with(2).detached(), inc)
chain(numbers, coin ? sum : chain(count, inc), inc)
// @ts-expect-error one of them waits for its input
enqueue(coin ? inc : inc.with(1))
// @ts-expect-error one of them takes a string
chain(inc.with(1), coin ? inc : shout)
// @ts-expect-error one of them is complete
chain(inc.with(1), coin ? inc : inc.with(2))
// @ts-expect-error one of those that are spread takes no string
chain(inc.with(1), ...[either, inc].slice(1))
const head = chain(coin ? inc : shout)
// @ts-expect-error nothing is a number and a string
chain(inc.with(1), head)
// @ts-expect-error one of them takes no failure
nightly.onError(coin ? report : inc)
// @ts-expect-error one of them takes no list
chord([inc.with(1)], coin ? sum : shout)
// @ts-expect-error one of them takes no number
map(coin ? inc : shout, [1])
// @ts-expect-error one of the groups takes no number
chain(inc.with(1), coin ? group([inc]) : group([shout]))

// ---- flows may be put together by functions that don't know their types
export const after = <T>(first: Flow<T>, next: Step<T, string>): Flow<string> => chain(first, next)
export const gather = <T>(steps: Signature<T>[], body: Step<T[], number>): Flow<number> =>
  chain(group(steps), body)
let grown: Flow<number> = chain(inc.with(1))
for (const step of rest) grown = chain(grown, step)
enqueue(grown)

// ---- the reason stands at the step, in words
export type Reasons = [
  Is<Eq<Fits<[typeof one, typeof notify]>[1], StepDoesNotFit<{ pages: number }, number>>>,
  Is<Eq<Fits<[typeof one, typeof one]>[1], StepIsComplete>>,
  Is<Eq<FittingAll<[typeof sum, typeof one]>[1], MemberIsComplete>>,
  Is<Eq<Complete<typeof notify>, StillNeeds<{ pages: number }>>>,
]
