import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { modules, root } from './manifest.ts'

const run = promisify(execFile)

describe.each(modules)('%s', (name) => {
  test('a CommonJS program can require it, and gets what an import gets', async () => {
    const required = await names(`print(require(${JSON.stringify(name)}))`)
    const imported = await names(`import(${JSON.stringify(name)}).then(print)`)
    expect(required.length).toBeGreaterThan(0)
    expect(required).toEqual(imported)
  })

  test('loading it starts nothing: the process ends by itself, and prints nothing', async () => {
    const { stdout, stderr } = await node(`import(${JSON.stringify(name)})`)
    expect(stdout + stderr).toBe('')
  })
})

/** What a fresh process finds exported. */
async function names(code: string): Promise<string[]> {
  const { stdout } = await node(
    `const print = (m) => console.log(JSON.stringify(Object.keys(m).sort())); ${code}`,
  )
  return JSON.parse(stdout)
}

/** Early versions that can require a module say that it is experimental. */
function node(code: string): Promise<{ stdout: string; stderr: string }> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=commonjs']
  return run(process.execPath, [...flags, '--eval', code], { cwd: root, timeout: 10_000 })
}
