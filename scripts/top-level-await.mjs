// Fails when a module of the package awaits at its top level: `require('millrace')` would then throw
// ERR_REQUIRE_ASYNC_MODULE for every CommonJS user. See test/package/require.test.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const found = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => topLevelAwaits(join('src', name)))

for (const place of found) console.error(`${place}: top-level await. Move it into a function.`)
process.exitCode = found.length > 0 ? 1 : 0

/** @param {string} path @returns {string[]} */
function topLevelAwaits(path) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  /** @type {string[]} */
  const places = []
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isFunctionLike(node)) return
    if (awaits(node)) {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart())
      places.push(`${path}:${line + 1}:${character + 1}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return places
}

/** @param {ts.Node} node */
function awaits(node) {
  if (ts.isAwaitExpression(node)) return true
  if (ts.isForOfStatement(node)) return node.awaitModifier !== undefined
  if (!ts.isVariableDeclarationList(node)) return false
  return (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing
}
