import { invalid } from '../core/options.ts'
import type { Logger } from '../core/task.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * The logger used unless one is given: a line per event on standard error, for people on a terminal and JSON
 * elsewhere. Debug lines appear with `MILLRACE_DEBUG=1`.
 */
export function defaultLogger(stream: NodeJS.WriteStream = process.stderr): Logger {
  const write = stream.isTTY ? forPeople : forPrograms
  const level = (name: Level) => (fields: object, message: string) => {
    if (name === 'debug' && !process.env.MILLRACE_DEBUG) return
    stream.write(`${write(name, fields, message)}\n`)
  }
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * A logger of the user's own, made safe: when it throws, a line is lost and nothing else.
 *
 * @throws UsageError INVALID_OPTION
 */
export function checkLogger(logger: unknown): Logger {
  const found = logger as Partial<Logger> | null | undefined
  const levels = ['debug', 'info', 'warn', 'error'] as const
  if (levels.every((level) => typeof found?.[level] === 'function')) return safely(found as Logger)
  throw invalid('logger', 'false, or an object with the methods debug, info, warn and error', logger)
}

function safely(logger: Logger): Logger {
  const level = (name: Level) => (fields: object, message: string) => {
    try {
      logger[name](fields, message)
    } catch {}
  }
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

function forPrograms(level: Level, fields: object, message: string): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })
}

function forPeople(level: Level, fields: object, message: string): string {
  const time = new Date().toTimeString().slice(0, 8)
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${show(value)}`)
  return escapeControls(`${time} ${level.padEnd(5)} ${message}${rest.join('')}`)
}

function show(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Data must not steer the terminal: control characters are shown, not sent. */
const escapeControls = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
