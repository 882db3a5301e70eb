import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ACTOR = fileURLToPath(new URL('./actor.mjs', import.meta.url))

/** @typedef {{ id: number, answer?: any, error?: string }} Reply */

/**
 * Start a process for a system. It ends with `stop`, or with us.
 *
 * @param {string} system the module's URL
 * @param {import('../types.ts').Place} place
 * @returns {Promise<import('../types.ts').Actor & { stop(): Promise<void> }>}
 */
export async function startActor(system, place) {
  const child = fork(ACTOR, [system, JSON.stringify(place)], { serialization: 'advanced' })
  const exited = once(child, 'exit')
  /** @type {Map<number, (reply: Reply) => void>} */
  const waiting = new Map()
  let requests = 0
  let over = false
  exited.then(([code]) => {
    over = true
    for (const [id, answer] of waiting) answer({ id, error: `the process ended with ${code}` })
  })
  child.on('message', (message) => {
    const reply = /** @type {Reply} */ (message)
    waiting.get(reply.id)?.(reply)
  })

  /** @param {number} id @returns {Promise<any>} */
  const reply = (id) =>
    new Promise((resolve, reject) => {
      waiting.set(id, ({ answer, error }) => {
        waiting.delete(id)
        if (error === undefined) resolve(answer)
        else reject(new Error(`${system}: ${error}`))
      })
    })

  /** @param {string} command @param {any} [args] */
  function ask(command, args) {
    if (over) return Promise.reject(new Error(`${system}: the process has ended`))
    const id = ++requests
    child.send({ id, command, args })
    return reply(id)
  }

  const commands = new Set(/** @type {string[]} */ (await reply(0)))
  return {
    ask,
    knows: (command) => commands.has(command),
    async stop() {
      await ask('close').catch(() => child.kill('SIGKILL'))
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(timer)
    },
  }
}
