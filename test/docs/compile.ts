import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Sample } from './samples.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a reader's own strict project would have. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
}

/** A fault of a sample, where the document has it: `README.md:12: …`. */
export interface Fault {
  readonly sample: Sample
  readonly message: string
}

/**
 * Compiles samples as modules of a project that has this package installed. They live in a folder of
 * their document that exists in memory only, inside the repository, so that 'millrace' is the built
 * package, as its exports show it.
 */
export function compile(samples: readonly Sample[]): Fault[] {
  if (!existsSync(join(root, 'dist/index.d.ts'))) throw new Error('There is no dist/. Run: npm run build')
  const files = filesOf(samples.filter((sample) => sample.unchecked === undefined))
  const program = ts.createProgram([...files.keys()], options, hostOf(files))
  const faults = [...files].flatMap(([path, parts]) => {
    const source = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (diagnostic) => faultOf(diagnostic, parts),
    )
  })
  const general = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()].map(textOf)
  if (general.length > 0) throw new Error(general.join('\n'))
  return faults
}

/** Samples with one title follow each other in one file. */
function filesOf(samples: readonly Sample[]): Map<string, Sample[]> {
  const files = new Map<string, Sample[]>()
  for (const sample of samples) {
    const folder = join(root, '.samples', sample.document.replace(/\W+/g, '-'))
    const path = join(folder, sample.title ?? `line-${sample.line}.ts`)
    files.set(path, [...(files.get(path) ?? []), sample])
  }
  return files
}

function hostOf(files: Map<string, Sample[]>): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const folders = new Set([...files.keys()].map((path) => dirname(path)))
  const code = (path: string) =>
    files
      .get(path)
      ?.map((sample) => sample.code)
      .join('\n')
  return {
    ...host,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    directoryExists: (path) => folders.has(path) || host.directoryExists!(path),
    readFile: (path) => code(path) ?? host.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const text = code(path)
      if (text === undefined) return host.getSourceFile(path, language, ...rest)
      return ts.createSourceFile(path, text, language)
    },
  }
}

function faultOf(diagnostic: ts.Diagnostic, parts: readonly Sample[]): Fault {
  const at = diagnostic.file!.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line
  let first = 0
  for (const sample of parts) {
    const next = first + sample.code.split('\n').length
    if (at < next)
      return { sample, message: `${sample.document}:${sample.line + at - first}: ${textOf(diagnostic)}` }
    first = next
  }
  throw new Error(`A fault in no sample: ${textOf(diagnostic)}`)
}

function textOf(diagnostic: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
}
