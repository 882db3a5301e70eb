// `npm run bench`: see docs/performance.md, and `npm run bench -- --help`.
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { backends } from './backends/index.mjs'
import { cases } from './cases/index.mjs'
import { readArguments } from './harness/arguments.mjs'
import { machine } from './harness/facts.mjs'
import { table, toTable } from './harness/report.mjs'
import { rounds } from './harness/rounds.mjs'
import { median, spread } from './harness/statistics.mjs'

const settings = readArguments()
const MILLRACE = new URL('./systems/millrace.mjs', import.meta.url).href
const chosen = cases.filter(
  ({ name }) => settings.only.length === 0 || settings.only.some((start) => name.startsWith(start)),
)
/** @type {Record<string, string>} */
const facts = machine(settings)
/** @type {import('./types.ts').CaseResult[]} */
const results = []

for (const name of settings.backends) {
  const kind = backends[name]
  if (!kind) throw new Error(`Expected --backend ${Object.keys(backends).join(' or ')}, got ${name}`)
  Object.assign(facts, await kind.facts?.(settings))
  const systems = { Millrace: MILLRACE, ...kind.beside, ...Object.fromEntries(settings.versus.map(versus)) }
  for (const item of chosen) {
    if (item.backends && !item.backends.includes(name)) continue
    process.stderr.write(`${name}: ${item.name}\n`)
    results.push({ backend: name, case: item, systems: await rounds(item, kind, systems, settings) })
  }
}

/** Beside Millrace: a peer, or another build of Millrace. @param {string} name @returns {[string, string]} */
function versus(name) {
  const peer = fileURLToPath(new URL(`./peers/${name}.mjs`, import.meta.url))
  if (existsSync(peer)) return [name, new URL(`./peers/${name}.mjs`, import.meta.url).href]
  if (existsSync(join(name, 'dist/index.js')))
    return [name, `${MILLRACE}?${encodeURIComponent(resolve(name))}`]
  throw new Error(
    `Expected --vs to name a module of bench/peers, or a folder with a build of Millrace, got ${name}`,
  )
}

console.log(table(['machine', ''], Object.entries(facts)))
console.log(
  `\n${settings.rounds} rounds${settings.scale === 1 ? '' : ' of a quick run'}, durability ${settings.durability}. Each figure is the median; ± is half the range; a ratio is the median of the rounds' own.`,
)
for (const name of settings.backends) {
  console.log(`\n### ${name}:\n\n${toTable(results.filter(({ backend }) => backend === name))}`)
}
if (settings.json) writeFileSync(settings.json, `${JSON.stringify(toJson(), null, 2)}\n`)

function toJson() {
  return {
    facts,
    settings,
    results: results.map(({ backend, case: { name, figures }, systems }) => ({
      backend,
      case: name,
      figures: Object.entries(figures).map(([key, { title, unit, better, aim }]) => ({
        key,
        title,
        unit,
        better,
        aim: aim?.[backend],
        systems: Object.fromEntries(
          [...systems].map(([system, samples]) => {
            const all = samples[key] ?? []
            return [system, { median: median(all), spread: spread(all), samples: all }]
          }),
        ),
      })),
    })),
  }
}
