// Lints the package as it would be published: what `npm pack` puts into the tarball, and whether its
// exports and types resolve from outside.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const allowed = /^(dist\/.+\.(js|js\.map|d\.ts)|docs\/.+\.md|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
const wanted = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts']

const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'))
try {
  const answer = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
  })
  /** @type {{ filename: string, files: { path: string }[] }} */
  const packed = first(JSON.parse(answer))
  const paths = packed.files.map((file) => file.path)
  const tarball = join(folder, packed.filename)
  const results = [
    report(
      'in the tarball by mistake',
      paths.filter((path) => !allowed.test(path)),
    ),
    report(
      'missing from the tarball',
      wanted.filter((path) => !paths.includes(path)),
    ),
    tool('publint', ['--strict', tarball]),
    tool('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii']),
  ]
  process.exitCode = results.every(Boolean) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

/**
 * npm 10 and 11 print a list, npm 12 prints an object by package name.
 * @param {any} answer
 */
function first(answer) {
  return Object.values(answer)[0]
}

/** @param {string} fault @param {string[]} paths */
function report(fault, paths) {
  if (paths.length > 0) console.error(`${fault}: ${paths.join(', ')}`)
  return paths.length === 0
}

/** @param {string} name @param {string[]} args */
function tool(name, args) {
  return spawnSync(join('node_modules', '.bin', name), args, { stdio: 'inherit' }).status === 0
}
