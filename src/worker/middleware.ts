import type { Context } from '../core/task.ts'

/**
 * Wraps every handler of a worker: `next()` runs the next middleware, in the end the handler, and resolves
 * to its output. What it returns or throws takes the place of what the handler did.
 *
 * @example
 * const timed: Middleware = async (context, next) => {
 *   const start = performance.now()
 *   try {
 *     return await next()
 *   } finally {
 *     context.log.info({ ms: performance.now() - start }, 'ran')
 *   }
 * }
 */
export type Middleware = (context: Context, next: () => Promise<unknown>) => unknown

type Run = (input: never, context: Context) => unknown

/** Fold middleware around a handler; the first given is the outermost. Without any it is the handler itself. */
export function compose(middleware: readonly Middleware[], run: Run): Run {
  return middleware.reduceRight<Run>(
    (inner, wrap) => (input, context) => wrap(context, async () => inner(input, context)),
    run,
  )
}
