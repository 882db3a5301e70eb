import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

export const version: string = manifest.version

/** Every name under which the package can be imported: 'millrace', 'millrace/testing', … */
export const modules = Object.keys(manifest.exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => `millrace${path.slice(1)}`)
