/** The types by which parts of flows fit together. Nothing here exists at run time. */

declare const output: unique symbol
declare const input: unique symbol
declare const single: unique symbol

/** Needs nothing more: it can be enqueued, or begin a chain. Its result is an `O`. */
export interface Start<out O> {
  readonly [output]: () => O
}

/** Waits for an `I`, which the previous step of a chain gives it. Its result is an `O`. */
export interface Step<in I, out O> {
  readonly [input]: (input: I) => O
}

/** One job: a task or a signature, as opposed to a flow. */
export interface Single {
  readonly [single]: true
}

/** Anything that can stand in a flow. */
export type Part = Start<unknown> | Step<never, unknown>

/** What a part results in. */
export type OutputOf<P> = P extends Start<infer O> ? O : P extends Step<never, infer O> ? O : never

/** What a part waits for; where it is one of several, what all of them take. */
export type InputOf<P> = [P] extends [never]
  ? never
  : [P] extends [{ readonly [input]: (input: infer I) => unknown }]
    ? I
    : never

/** What each of a list of parts takes. */
export type InputOfAll<M extends readonly unknown[]> = [M[number]] extends [never]
  ? unknown
  : [M[number]] extends [{ readonly [input]: (input: infer I) => unknown }]
    ? I
    : never

/** What a list of parts results in: a tuple for a tuple, an array for an array. */
export type OutputsOf<M extends readonly unknown[]> = { -readonly [K in keyof M]: OutputOf<M[K]> }

/** Shown by the compiler in the place of a step that does not fit. */
export interface StepDoesNotFit<Needs, Gives> {
  readonly 'this step needs': Needs
  readonly 'the previous step gives': Gives
}
/** Shown by the compiler in the place of a step that leaves no room for the previous value. */
export interface StepIsComplete {
  readonly 'this step has its whole input already: leave some to the previous step, or add': '.detached()'
}
/** Shown by the compiler in the place of a member that is complete, or waits, unlike the others. */
export interface MemberIsComplete {
  readonly 'this member has its whole input, others wait for theirs: leave it some, or add': '.detached()'
}
/** Shown by the compiler in the place of what can't run yet. */
export interface StillNeeds<Needs> {
  readonly 'this still needs its input, bind it by .with(...)': Needs
}

/**
 * The steps of a chain as its parameters. Each of a fixed number is checked for itself, so that the error
 * stands at the step; with a spread array among them they are checked together.
 */
export type Fitting<S extends readonly unknown[]> = {
  [K in keyof S]: S[K] &
    (number extends S['length'] ? unknown : K extends keyof Fits<S> ? Fits<S>[K] : unknown)
} & (number extends S['length'] ? Fits<S> : unknown)

/** `unknown` for each step that fits, and the reason for each that does not. */
export type Fits<S extends readonly unknown[]> = S extends readonly [infer First, ...infer Rest]
  ? Links<Rest, OutputOf<First>, [unknown]>
  : SpreadLinks<S, never, []>

type Links<S extends readonly unknown[], Given, Done extends readonly unknown[]> = S extends readonly [
  infer Next,
  ...infer Rest,
]
  ? Links<Rest, OutputOf<Next>, [...Done, Link<Next, Given>]>
  : S extends readonly []
    ? Done
    : SpreadLinks<S, Given, Done>

/** A spread array of any length: each of its steps must take what came before, and what its like give. */
type SpreadLinks<
  S extends readonly unknown[],
  Given,
  Done extends readonly unknown[],
  Tail extends readonly unknown[] = [],
> = S extends readonly [...infer Middle, infer Last]
  ? SpreadLinks<Middle, Given, Done, [Last, ...Tail]>
  : readonly [
      ...Done,
      ...Link<S[number], Given | OutputOf<S[number]>>[],
      ...Links<Tail, Given | OutputOf<S[number]>, []>,
    ]

/** `unknown` for a step, or any of several, that takes what it is given, else the reason why it does not fit. */
export type Link<Next, Given> = [Next] extends [Step<Given, unknown>] ? unknown : Misfit<Next, Given>

type Misfit<Next, Given> = Next extends { readonly [input]: (input: infer Needs) => unknown }
  ? [Given] extends [Needs]
    ? never
    : StepDoesNotFit<Needs, Given>
  : StepIsComplete

/** `unknown` for each member when all are complete or all wait, and the reason for each that is in the way. */
export type FittingAll<M extends readonly unknown[]> =
  M[number] extends Start<unknown>
    ? unknown
    : { readonly [K in keyof M]: M[K] extends Step<never, unknown> ? unknown : MemberIsComplete }

/** `unknown` for what can be enqueued, among it a task that takes no input, or any of several that can, and what it lacks for all else. */
export type Complete<P> = [P] extends [Start<unknown>]
  ? unknown
  : [undefined] extends [InputOf<P>]
    ? unknown
    : Incomplete<P>

type Incomplete<P> = P extends Start<unknown> ? never : StillNeeds<InputOf<P>>
