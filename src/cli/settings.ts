import type { Duration, RunOptions, WorkerOptions } from '../index.ts'
import {
  duration,
  keep,
  number,
  optional,
  paths,
  queues,
  type Reader,
  retry,
  text,
  timeout,
  toggle,
} from './readers.ts'

/** One option: its name is the key in the configuration file, and `MILLRACE_` and it in capitals the variable. */
interface Setting<T> {
  readonly about: string
  /** How the flag is given; absent where a command's own flag says it for one job. */
  readonly flag?: string
  /** Holds several values. */
  readonly several?: boolean
  /** Never printed whole; `<variable>_FILE` names a file that holds it. */
  readonly secret?: boolean
  readonly read: Reader<T>
  readonly otherwise: T
}

const setting = <T>(it: Setting<T>): Setting<T> => it

/** All options of the command line, in the order in which `config print` shows them. */
export const SETTINGS = {
  url: setting<string>({
    flag: '--url <url>',
    about: 'where the jobs are kept',
    secret: true,
    read: text,
    otherwise: 'sqlite:./millrace.db',
  }),
  results: setting<string | undefined>({
    flag: '--results <url>',
    about: 'what keeps the jobs that an amqp: URL carries',
    secret: true,
    read: optional(text),
    otherwise: undefined,
  }),
  tasks: setting<readonly string[]>({
    flag: '--tasks <file>',
    several: true,
    about: 'module that exports tasks: TypeScript or JavaScript; may be given several times',
    read: paths,
    otherwise: [],
  }),
  queues: setting<WorkerOptions['queues']>({
    flag: '--queues <names>',
    about: 'queues to serve: mail,thumbs or, weighted, mail=3,thumbs=1 (default: those that the tasks name)',
    read: queues,
    otherwise: undefined,
  }),
  concurrency: setting<number>({
    flag: '--concurrency <n>',
    about: 'jobs that run at once',
    read: number,
    otherwise: 10,
  }),
  grace: setting<Duration>({
    flag: '--grace <time>',
    about: 'how long running jobs may take to end after SIGTERM or Ctrl-C; then they are handed back',
    read: duration,
    otherwise: '25s',
  }),
  lease: setting<Duration>({
    flag: '--lease <time>',
    about: "how long a worker's jobs stay its own without a heartbeat",
    read: duration,
    otherwise: '15s',
  }),
  blockedAfter: setting<Duration>({
    flag: '--blocked-after <time>',
    about: 'how long a handler may block the event loop before others take over',
    read: duration,
    otherwise: '2m',
  }),
  unknownTaskAfter: setting<Duration>({
    flag: '--unknown-task-after <time>',
    about: 'after which a job of a task that no worker knows fails',
    read: duration,
    otherwise: '1h',
  }),
  giveUpAfter: setting<Duration>({
    flag: '--give-up-after <time>',
    about: 'after which a job that asks for RetryLater again and again fails',
    read: duration,
    otherwise: '7d',
  }),
  removeSchedules: setting<boolean>({
    flag: '--remove-schedules',
    about: 'remove stored schedules that workers declared before and this one does not',
    read: toggle,
    otherwise: false,
  }),
  queue: setting<string>({ about: 'queue of jobs that name none', read: text, otherwise: 'default' }),
  priority: setting<number>({ about: 'priority of jobs that name none', read: number, otherwise: 0 }),
  retry: setting<NonNullable<RunOptions['retry']>>({
    about: 'how failed jobs are retried that say nothing else',
    read: retry,
    otherwise: 3,
  }),
  timeout: setting<Duration | false>({ about: 'how long one run may take', read: timeout, otherwise: '30m' }),
  expires: setting<Duration | undefined>({
    about: 'after which a job that has not started expires',
    read: optional(duration),
    otherwise: undefined,
  }),
  keep: setting<NonNullable<RunOptions['keep']>>({
    about: 'how long records stay after the end',
    read: keep,
    otherwise: { succeeded: '1h', failed: '14d' },
  }),
  payloadLimit: setting<number>({
    about: 'bytes that one input or output may take',
    read: number,
    otherwise: 1_000_000,
  }),
  enqueueTimeout: setting<Duration>({
    about: 'how long an enqueue may take',
    read: duration,
    otherwise: '10s',
  }),
}

export type SettingName = keyof typeof SETTINGS
/** The value of each option. */
export type Settings = {
  readonly [K in SettingName]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never
}

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** The settings as a list to go through; each is of its own type. */
export const settingOf = (name: SettingName): Setting<unknown> => SETTINGS[name] as Setting<unknown>

/** `blockedAfter` → `MILLRACE_BLOCKED_AFTER` */
export const variableOf = (name: SettingName): string =>
  `MILLRACE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** What a worker is told beside its tasks. */
export const WORKER_SETTINGS = [
  'tasks',
  'queues',
  'concurrency',
  'grace',
  'lease',
  'blockedAfter',
  'unknownTaskAfter',
  'giveUpAfter',
  'removeSchedules',
] as const satisfies readonly SettingName[]
