/** One run's settings, the same for all systems. */
export interface Settings {
  readonly backends: readonly string[]
  readonly durability: 'full' | 'normal'
  readonly rounds: number
  readonly only: readonly string[]
  readonly versus: readonly string[]
  /** Every count of jobs is multiplied by it. */
  readonly scale: number
  readonly json: string | undefined
  /** The folder for files of the backends; its disk is what is measured. */
  readonly folder: string
}

/** What is needed to reach one place where jobs are kept, in any process. Plain data. */
export interface Place {
  readonly url: string
  /** Behind a broker: where the jobs are kept. */
  readonly results?: string
  readonly durability: 'full' | 'normal'
}

/** A kind of place, made new for every measurement. */
export interface BackendKind {
  /** Whether producer and worker are processes of their own. */
  readonly processes: boolean
  /** The systems that run beside Millrace, as modules of `systems/`, by the names in the table. */
  readonly beside: Readonly<Record<string, string>>
  /** Every count of jobs is multiplied by it: what is fast needs more of them to be measured well. */
  readonly pace: number
  create(settings: Settings): Promise<Place>
  /** Bytes that the place takes. Absent where it is memory of the process. */
  size?(place: Place): Promise<number>
  remove(place: Place): Promise<void>
  /** What holds for figures of this kind, for the report. */
  facts?(settings: Settings): Promise<Readonly<Record<string, string>>>
}

/** Given what was added. */
// biome-ignore lint/suspicious/noExplicitAny: every case adds what its own handler takes
export type Handler = (input: any) => unknown

/**
 * A queue, as the measuring loops use it. Millrace and its peers are measured by the same loops; a peer
 * that lacks a method is left out of the cases that need it.
 */
export interface Queue {
  /** Resolves once the job is accepted. */
  add(input: unknown, options?: { readonly delay?: number }): Promise<unknown>
  addAll(inputs: readonly unknown[]): Promise<unknown>
  /** Add a job and wait for its result. */
  call?(input: unknown): Promise<unknown>
  /** Work until the function that it resolves to is called. The handler is that of every job. */
  work(concurrency: number, handler: Handler): Promise<() => Promise<void>>
  /** Store a schedule, due at this second of every minute, or rarely; its jobs tell when they were due. */
  schedule?(name: string, second: number | undefined): Promise<unknown>
  /** Resolves to the body's result: a group of the inputs, then one step that counts their results. */
  chord?(inputs: readonly unknown[]): Promise<unknown>
  /** Resolves to the result of that many steps in a row. */
  chain?(steps: number): Promise<unknown>
  close(): Promise<void>
}

/** What can be asked of an actor's system, by name. Arguments and answers are plain data. */
export type Commands = Readonly<Record<string, (args: never) => Promise<unknown>>>

/** A module of `systems/` or `peers/` has one of the two, a floor the second. */
export interface SystemModule {
  open?(place: Place): Promise<Queue>
  commands?(place: Place): Promise<Commands>
}

/** A process that runs one system. */
export interface Actor {
  ask<T = void>(command: string, args?: unknown): Promise<T>
  /** Whether its system knows the command. */
  knows(command: string): boolean
}

/** What a case measures with: in one process, producer and worker are the same actor. */
export interface Stage {
  readonly producer: Actor
  readonly worker: Actor
  /** Bytes that the backend takes for what it keeps, after cleaning up. */
  size(): Promise<number>
  /** A count of jobs, scaled up where they are fast and down when it has to be quick. */
  count(jobs: number, least?: number): number
}

/** One figure of a case: its key in what `measure` returns. */
export interface Figure {
  readonly title: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** By backend: what Millrace's figure must reach, alone or as the ratio to the system named. */
  readonly aim?: Readonly<
    Record<string, { readonly at?: number; readonly ratio?: number; readonly to?: string }>
  >
}

export interface Case {
  readonly name: string
  /** Commands that a system must know to take part. */
  readonly needs: readonly string[]
  /** Absent: all. */
  readonly backends?: readonly string[]
  readonly figures: Readonly<Record<string, Figure>>
  measure(stage: Stage): Promise<Readonly<Record<string, number>>>
}

/** Figures of one case and system, one of each round. */
export type Samples = Readonly<Record<string, readonly number[]>>

export interface CaseResult {
  readonly backend: string
  readonly case: Case
  /** By the system's name, Millrace first. */
  readonly systems: ReadonlyMap<string, Samples>
}
