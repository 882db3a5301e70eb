// Removes from dist/ what no source file stands behind any more, before the compiler writes the rest.
// It doesn't empty dist/: a program that runs from it keeps running while the build goes on, and the
// compiler writes only what changed.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const memo = join(dist, '.tsbuildinfo')
const outputs = ['.js', '.js.map', '.d.ts']

const sources = new Set(
  files(join(root, 'src'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => relative(join(root, 'src'), file).slice(0, -'.ts'.length)),
)

for (const file of files(dist)) {
  const name = relative(dist, file).replace(/\.(js|js\.map|d\.ts)$/, '')
  if (file !== memo && !sources.has(name)) rmSync(file)
}

// The compiler trusts its memo about what it wrote last time, so a file that somebody deleted would stay away.
const missing = [...sources].some((name) => outputs.some((ending) => !existsSync(join(dist, name + ending))))
if (missing) rmSync(memo, { force: true })

/** @param {string} folder @returns {string[]} */
function files(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
