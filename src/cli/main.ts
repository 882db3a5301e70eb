#!/usr/bin/env node
import { run } from './program.ts'

// A handler that ignored its signal may keep timers and sockets for ever: the process ends once all is told.
run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
