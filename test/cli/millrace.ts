import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ensure } from '../setup/system.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The built command, as a user runs it. */
export const bin = join(root, 'dist/cli/main.js')

/** What paints: the only sequences that the command may send. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what they begin with
export const COLOUR = /\x1b\[\d+m/g

/** A folder of somebody who has installed millrace and zod. */
export interface Project {
  readonly folder: string
  write(name: string, text: string): void
  remove(): void
}

export function project(files: Readonly<Record<string, string>> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/millrace'))
  symlinkSync(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write('package.json', '{ "private": true, "type": "module" }')
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface Started {
  readonly child: ChildProcess
  /** Resolves with the first line, of standard output or error, in which the text stands. */
  line(text: string): Promise<string>
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Leave standard input open, for the test to write to. */
  readonly open?: boolean
}

/** Variables of whoever runs the tests must not reach the command. */
export const clean = (env: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(MILLRACE_|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|VITEST)/.test(name),
  )
  return { ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])), TERM: 'xterm', ...env }
}

export function start(
  { folder }: Project,
  args: readonly string[],
  surroundings: Surroundings = {},
): Started {
  const env = clean(surroundings.env)
  return observe(spawn(process.execPath, [bin, ...args], { cwd: folder, env }), surroundings)
}

/** Run it to its end. */
export const run = (where: Project, args: readonly string[], surroundings?: Surroundings): Promise<Ended> =>
  start(where, args, surroundings).ended

/** Run it on a terminal of that many columns. */
export const onTerminal = (
  { folder }: Project,
  columns: number,
  args: readonly string[],
  { env, input }: Surroundings = {},
): Promise<Ended> => {
  const words = [process.execPath, bin, ...args].map((word) => `'${word}'`)
  const command = `stty cols ${columns}; ${words.join(' ')}`
  return observe(
    spawn(ensure('script', 'bsdutils'), ['-qec', command, '/dev/null'], { cwd: folder, env: clean(env) }),
    input === undefined ? {} : { input },
  ).ended
}

function observe(child: ChildProcess, { input, open }: Surroundings = {}): Started {
  const texts = { stdout: '', stderr: '' }
  const lines: string[] = []
  const waits = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk) => {
      texts[name] += chunk
    })
    createInterface({ input: child[name]! }).on('line', (line) => {
      lines.push(line)
      for (const look of waits) look()
    })
  }
  // A child that ends before it has read all of it is no fault of the test's.
  child.stdin?.on('error', () => {})
  if (!open) child.stdin?.end(input)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...texts }))
  })
  return {
    child,
    ended,
    line: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => line.includes(text))
          if (found === undefined) return
          waits.delete(look)
          resolve(found)
        }
        waits.add(look)
        look()
        ended.then(
          ({ stderr }) => reject(new Error(`It ended without ${JSON.stringify(text)}: ${stderr}`)),
          reject,
        )
      }),
  }
}
