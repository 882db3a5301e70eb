import pc from 'picocolors'
import { visibleJson } from './text.ts'

export type Colors = ReturnType<typeof pc.createColors>

/** Where a command's answer goes: standard output; what is said about it goes to standard error. */
export interface Output {
  readonly json: boolean
  /** Paints what goes to standard output, on a terminal that wants it. */
  readonly colors: Colors
  /** The same for standard error. */
  readonly errorColors: Colors
  /** Standard output is a terminal. */
  readonly terminal: boolean
  /** Columns of the terminal, or `undefined` when it is none. */
  readonly columns: number | undefined
  /** The whole answer: one JSON document, or text. */
  answer(data: unknown, text: () => string): void
  /** One of many: a line of JSON, or text. */
  event(data: unknown, text: () => string): void
  /** A remark to people; with `--json` there is none. */
  note(text: string): void
  /** A line of JSON with `--json`. */
  warn(text: string): void
  /** The error that ends the command, as JSON with `--json`. */
  fail(data: object, text: string): void
  /** Text as it is: help, and control sequences. */
  write(text: string): void
  writeError(text: string): void
  /** Aborts when standard output takes no more: its reader went away (EPIPE), its disk is full. */
  readonly unread: AbortSignal
  /** Resolves once all is written. */
  flush(): Promise<void>
}

export interface OutputOptions {
  readonly json: boolean
  /** `false` by --no-color. */
  readonly color: boolean
}

export function createOutput({ json, color }: OutputOptions): Output {
  const { stdout, stderr, env } = process
  const unread = new AbortController()
  stdout.on('error', (error) => {
    unread.abort(error)
  })
  // There is nobody left to tell.
  stderr.on('error', () => {})
  const paints = (stream: NodeJS.WriteStream) =>
    color && !env.NO_COLOR && env.TERM !== 'dumb' && stream.isTTY === true
  const colors = pc.createColors(paints(stdout))
  const errorColors = pc.createColors(paints(stderr))
  const print = (text: string) => {
    if (!unread.signal.aborted) stdout.write(`${text}\n`)
  }
  const say = (text: string) => stderr.write(`${text}\n`)
  return {
    json,
    colors,
    errorColors,
    terminal: stdout.isTTY === true,
    get columns() {
      return stdout.isTTY ? stdout.columns || 80 : undefined
    },
    answer: (data, text) => print(json ? visibleJson(JSON.stringify(data, null, 2)) : text()),
    event: (data, text) => print(json ? visibleJson(JSON.stringify(data)) : text()),
    note: (text) => {
      if (!json) say(errorColors.dim(text))
    },
    warn: (text) =>
      say(
        json ? visibleJson(JSON.stringify({ warning: text })) : `${errorColors.yellow('warning:')} ${text}`,
      ),
    fail: (data, text) =>
      say(json ? visibleJson(JSON.stringify(data)) : `${errorColors.red('error:')} ${text}`),
    write: (text) => {
      if (!unread.signal.aborted) stdout.write(text)
    },
    writeError: (text) => stderr.write(text),
    unread: unread.signal,
    async flush() {
      await Promise.all([stdout, stderr].map(drained))
      // What went wrong with a write is told a little later.
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
