import type { Command } from 'commander'
import type { Session } from './session.ts'

/** Adds one command to the program. */
export type Register = (program: Command, run: Runner) => void

/** Wraps the work of a command, which answers with an exit code or, when all went well, with nothing. */
export type Runner = (
  work: (session: Session, command: Command) => Promise<number | undefined>,
) => (...given: unknown[]) => Promise<void>
