import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** @type {Set<ChildProcess>} */
const alive = new Set()
// A stopped process would outlive us for ever.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/**
 * Start a module as a process of its own.
 *
 * @param {URL} module
 * @param {unknown} given its `process.argv[2]`, as JSON
 * @param {import('node:child_process').ForkOptions} [options]
 */
export function startChild(module, given, options) {
  const child = fork(fileURLToPath(module), [JSON.stringify(given)], { stdio: 'inherit', ...options })
  alive.add(child)
  /** How it ended: its exit code, or the signal that killed it. @type {Promise<number | string>} */
  const exited = once(child, 'exit').then(([code, signal]) => {
    alive.delete(child)
    return signal ?? code
  })
  return { child, exited }
}
