// `npm run check`: every static check, two at a time, all of them even if one fails, with the time of each.
// `npm run check -- lint types` runs only those.
import { spawn } from 'node:child_process'

const all = ['types', 'package', 'lint', 'imports', 'unused', 'lock']
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`No check called ${unknown.join(', ')}. There are: ${all.join(', ')}.`)
  process.exit(2)
}

const queue = all.filter((name) => asked.length === 0 || asked.includes(name))
const total = queue.length
/** @type {string[]} */
const failed = []
await Promise.all([lane(), lane()])
console.log(failed.length === 0 ? `check: all ${total} passed` : `check: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

async function lane() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const began = performance.now()
    const { code, output } = await run(name)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    if (code !== 0) {
      failed.push(name)
      console.log(output.trimEnd())
    }
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds.padStart(5)} s`)
  }
}

/** @param {string} name @returns {Promise<{ code: number, output: string }>} */
function run(name) {
  const child = spawn('npm', ['run', '--silent', `check:${name}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
