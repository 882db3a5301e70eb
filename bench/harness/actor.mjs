// The process of one system: opens it, then does what it is asked. Plain JavaScript, so that nothing but
// Node and the system itself is measured.
import { commandsOf } from './commands.mjs'

const [, , system = '', place = ''] = process.argv
/** @type {import('../types.ts').SystemModule} */
const { open, commands: own } = await import(system)
const where = JSON.parse(place)
/** @type {import('../types.ts').Commands} */
const commands = own
  ? await own(where)
  : commandsOf(await /** @type {NonNullable<typeof open>} */ (open)(where))

process.on('message', async (/** @type {{ id: number, command: string, args: never }} */ request) => {
  const { id, command, args } = request
  try {
    process.send?.({ id, answer: await commands[command]?.(args) })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
process.send?.({ id: 0, answer: Object.keys(commands) })
