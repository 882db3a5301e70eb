import type { Logger } from '../index.ts'
import type { Output } from './output.ts'
import { visible, visibleJson } from './text.ts'
import { clock } from './time.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * What a worker tells: with --json, lines of JSON on standard output; else on standard error, for people on a
 * terminal and as JSON where no one looks on. `debug` only with `MILLRACE_DEBUG`.
 */
export function createLogger({ json, event, errorColors: colors }: Output): Logger {
  const { stderr, env } = process
  const write = (level: Level) => (fields: object, message: string) => {
    if (level === 'debug' && !env.MILLRACE_DEBUG) return
    const entry = { time: new Date().toISOString(), level, message, ...fields }
    if (json) event(entry, () => '')
    else if (!stderr.isTTY) stderr.write(`${visibleJson(JSON.stringify(entry))}\n`)
    else {
      const paint = { debug: colors.dim, info: colors.cyan, warn: colors.yellow, error: colors.red }[level]
      const rest = Object.entries(fields).map(([name, value]) => `  ${colors.dim(`${name}=`)}${plain(value)}`)
      stderr.write(`${clock(new Date())} ${paint(level.padEnd(5))} ${visible(message)}${rest.join('')}\n`)
    }
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return visible(value)
  if (typeof value === 'object' && value !== null && 'message' in value) return visible(String(value.message))
  return visible(JSON.stringify(value) ?? String(value))
}
