import { BackendError, UsageError, WaitError } from '../index.ts'

/** What the process tells by its exit code. Stable: scripts branch on it. See docs/cli.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  backend: 4,
  late: 5,
  interrupted: 130,
} as const

/** The codes as `--help` explains them. */
export const EXIT_HELP = `Exit codes:
  0    done
  1    the operation failed: the job failed (--wait, --watch), doctor found a
       fault, a job can't be retried
  2    wrong usage: a flag, an input, the configuration; nothing was stored
  3    not found: there is no such job or schedule, or its record was not kept
  4    the backend can't be reached, or can't do it
  5    --wait ended before the job did; the job goes on
  130  interrupted by Ctrl-C`

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) {
    if (error.code === 'UNKNOWN_SCHEDULE') return EXIT.notFound
    // The call is well-formed; it is the job that is in no state for it.
    return error.code === 'NOT_RETRYABLE' || error.code === 'FLOW_MEMBER' ? EXIT.failed : EXIT.usage
  }
  if (error instanceof BackendError) return EXIT.backend
  if (error instanceof WaitError) {
    if (error.code === 'RESULT_TIMEOUT') return EXIT.late
    return error.code === 'ABORTED' ? EXIT.interrupted : EXIT.notFound
  }
  return EXIT.failed
}
