#!/usr/bin/env node
import { run } from './program.ts'

// The process dries up by itself only when a module of the user's awaits what never comes.
process.once('beforeExit', () =>
  end(1, 'error: nothing is left to wait for; does a module await what never comes?'),
)

// A handler that ignored its signal may keep timers and sockets for ever: the process ends once all is told.
run(process.argv.slice(2)).then(end, (error) => end(1, String(error?.stack ?? error)))

function end(code: number, message?: string): void {
  if (message !== undefined) console.error(message)
  process.exit(code)
}
