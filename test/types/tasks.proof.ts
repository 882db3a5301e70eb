/** What must and what must not compile. Nothing here is run; `tsc -p .` is the test. */
import * as v from 'valibot'
import { z } from 'zod'
import type { Complete, OutputOf, Step } from '../../src/core/part.ts'
import type { OpenSignature, Signature } from '../../src/core/signature.ts'
import { type Runnable, task } from '../../src/core/task.ts'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Is<A extends true> = A
const same = <A, B>(..._: Eq<A, B> extends true ? [] : ['the types differ', A, B]) => {}

interface Handle<O> {
  readonly id: string
  result(): Promise<O>
}
type Handles<M extends readonly unknown[]> = { -readonly [K in keyof M]: Handle<OutputOf<M[K]>> }
type Complaints<M extends readonly unknown[]> = { readonly [K in keyof M]: Complete<M[K]> }
declare const app: {
  enqueue<P>(
    what: P & Complete<P>,
    options?: { delay?: string; priority?: number },
  ): Promise<Handle<OutputOf<P>>>
  enqueueAll<const M extends readonly unknown[]>(what: M & Complaints<M>): Promise<Handles<M>>
  job(id: string): Handle<unknown>
  job<O>(id: string, task: Step<never, O>): Handle<O>
  worker(options: { tasks: readonly Runnable[] }): void
}

// ---- definitions
const thumbnail = task(
  'image.thumbnail',
  { input: z.object({ key: z.string(), width: z.number().int().default(320) }), timeout: '30s' },
  async ({ key, width }, { signal, progress, log, attempt, id, queue, flow, headers, task }) => {
    progress(10, 'reading')
    log.info({ id, queue, flow, attempt, task, from: headers.from }, 'hello')
    signal.throwIfAborted()
    same<typeof width, number>()
    return { key, width }
  },
)
const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const nothing = task('nothing', () => 3)
const withOptions = task('with-options', { timeout: '1s', retry: 5 }, ({ x }: { x: number }) => x)
const parsed = task(
  'parsed',
  { input: v.object({ a: v.pipe(v.string(), v.transform(Number)) }) },
  ({ a }) => {
    same<typeof a, number>()
    return a
  },
)
const outputOnly = task('output-only', { output: z.string().transform(Number) }, (n: number) => `${n}`)
const contract = task('resize', {
  input: z.object({ key: z.string(), width: z.coerce.number() }),
  output: z.object({ url: z.string(), n: z.number().default(1) }),
})
const implementation = contract.handle(async ({ key, width }) => {
  same<typeof width, number>()
  return { url: key }
})
const open = task('open', {})
const openImplementation = open.handle((input) => {
  same<typeof input, unknown>()
  return 1
})
// @ts-expect-error wrong output
contract.handle(async () => ({ urll: 1 }))
// @ts-expect-error wrong output
task('x', { output: z.string() }, (n: number) => n)
// @ts-expect-error no such option
task('x', { timout: '30s' }, () => 1)
// @ts-expect-error no such backoff
task('x', { retry: { backoff: 'linear' } }, () => 1)
app.worker({
  tasks: [thumbnail, add, nothing, withOptions, parsed, outputOnly, implementation, openImplementation],
})
// @ts-expect-error a contract has no handler
app.worker({ tasks: [contract] })

// ---- binding
const whole = thumbnail.with({ key: 'a', width: 3 })
same<typeof whole, Signature<{ key: string; width: number }>>()
const part = contract.with({ width: 200 })
same<typeof part, OpenSignature<{ key: string }, { url: string; n: number }>>()
const rest = part.with({ key: 'a' })
same<typeof rest, Signature<{ url: string; n: number }>>()
// @ts-expect-error unknown field
thumbnail.with({ key: 'a', widht: 3 })
// @ts-expect-error wrong type
thumbnail.with({ key: 1 })
// @ts-expect-error it is bound already
part.with({ key: 'a', width: 3 })
// @ts-expect-error an input is asked for
thumbnail.with()
contract.with({ key: 'a', width: '200' })

// ---- enqueue
const job = await app.enqueue(thumbnail.with({ key: 'a' }), { delay: '5s', priority: 3 })
const result = await job.result()
same<typeof result, { key: string; width: number }>()
// @ts-expect-error a part of the input
await app.enqueue(contract.with({ width: 3 }))
// @ts-expect-error no input yet
await app.enqueue(add)
// @ts-expect-error no such option
await app.enqueue(add.with({ x: 1, y: 2 }), { dealy: '5s' })
const [first, second] = await app.enqueueAll([add.with({ x: 1, y: 2 }), thumbnail.with({ key: 'a' })])
same<Awaited<ReturnType<typeof first.result>>, number>()
same<Awaited<ReturnType<typeof second.result>>, { key: string; width: number }>()
const many = await app.enqueueAll([1, 2].map((x) => add.with({ x, y: 1 })))
same<typeof many, Handle<number>[]>()
// @ts-expect-error the second is incomplete
await app.enqueueAll([add.with({ x: 1, y: 2 }), contract.with({ width: 3 })])
const known = await app.job('x', contract).result()
same<typeof known, { url: string; n: number }>()
const unknown = await app.job('x').result()
same<typeof unknown, unknown>()

// ---- kinds of input
const union = task(
  'union',
  {
    input: z.discriminatedUnion('k', [
      z.object({ k: z.literal('a'), p: z.string() }),
      z.object({ k: z.literal('b'), q: z.number() }),
    ]),
  },
  (input) => input.k,
)
await app.enqueue(union.with({ k: 'a', p: 'x' }))
// @ts-expect-error a without p
await app.enqueue(union.with({ k: 'a' }))
// @ts-expect-error b with the p of a
await app.enqueue(union.with({ k: 'b', p: 'x' }))
await app.enqueue(nothing.with())
const scalar = task('scalar', { input: z.number() }, (n) => n)
await app.enqueue(scalar.with(3))
// @ts-expect-error a number is asked for
scalar.with('3')
interface Point {
  x: number
  y?: number
}
const point = task('point', ({ x, y }: Point) => x + (y ?? 0))
await app.enqueue(point.with({ x: 1 }))
const list = task('list', (xs: number[]) => xs.length)
await app.enqueue(list.with([1, 2]))
const fields = task('fields', ({ tags, at }: { tags: string[]; at: Date }) => `${tags} ${at}`)
await app.enqueue(fields.with({ tags: ['a', 'b'], at: new Date() }))
const record = task('record', (counts: Record<string, number>) => Object.keys(counts))
await app.enqueue(record.with({ a: 1 }))
const any = task('any', { input: z.any() }, (input) => input)
await app.enqueue(any.with({ a: 1 }))
const optional = task('optional', (n?: number) => n)
await app.enqueue(optional.with())
await app.enqueue(optional.with(1))
const mixed = task('mixed', (input: string | { a: number }) => typeof input)
await app.enqueue(mixed.with('x'))
await app.enqueue(mixed.with({ a: 1 }))
function generic<T extends { id: string }>(input: T): Signature<unknown> {
  return any.with(input)
}
await app.enqueue(generic({ id: 'a' }))
const maybe = task('maybe', (input: { a: number } | null) => input)
await app.enqueue(maybe.with(null))
await app.enqueue(maybe.with({ a: 1 }))

export type Checks = [Is<Eq<OutputOf<typeof outputOnly>, number>>, Is<Eq<OutputOf<typeof open>, unknown>>]
