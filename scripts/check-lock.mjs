// Guards `npm ci` on other machines. A platform package that the registry didn't hold when somebody ran
// `npm install` is left out of the lock file without a word, and `npm ci` then refuses the lock file
// wherever the package is looked up again. And the lock file names no registry: see .npmrc.
import { readFileSync } from 'node:fs'

/** @type {Record<string, { resolved?: string, optionalDependencies?: Record<string, string> }>} */
const packages = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages

const faults = Object.entries(packages).flatMap(([path, { resolved, optionalDependencies = {} }]) => [
  ...(resolved ? [`${path} has a download address: run npm install with the repository's .npmrc`] : []),
  ...Object.keys(optionalDependencies)
    .filter((name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages))
    .map((name) => `${path} lacks ${name}: pin a version whose platform packages the registry all holds`),
])

for (const fault of faults) console.error(`package-lock.json: ${fault}.`)
process.exitCode = faults.length > 0 ? 1 : 0
