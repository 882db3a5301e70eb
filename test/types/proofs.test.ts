import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const proofs = readdirSync(here).filter((name) => name.endsWith('.proof.ts'))

let program: ts.Program

beforeAll(() => {
  const path = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))
  const config = ts.getParsedCommandLineOfConfigFile(
    path,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic },
  )
  program = ts.createProgram(
    proofs.map((name) => here + name),
    config!.options,
  )
}, 60_000)

test.each(proofs)('%s: what must compile does, and what must not does not', { timeout: 60_000 }, (name) => {
  const source = program.getSourceFile(here + name)!
  const faults = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  expect(ts.formatDiagnostics(faults, host)).toBe('')
})

const host: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => here,
  getNewLine: () => '\n',
}

function onUnRecoverableConfigFileDiagnostic(diagnostic: ts.Diagnostic): never {
  throw new Error(ts.formatDiagnostic(diagnostic, host))
}
