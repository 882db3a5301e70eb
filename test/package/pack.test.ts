import { execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modules, root, version } from './manifest.ts'

const run = promisify(execFile)

describe('the package, packed and installed in an empty project', { timeout: 60_000 }, () => {
  let project: string
  const env = { ...process.env, MILLRACE_URL: '', MILLRACE_RESULTS: 'memory:' }
  const inProject = (file: string, ...args: string[]) =>
    run(file, args, { cwd: project, env, timeout: 60_000 })

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'millrace-installed-'))
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
      { cwd: root },
    )
    const [{ filename }] = Object.values<{ filename: string }>(JSON.parse(stdout)) as [{ filename: string }]
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
    await inProject(
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--prefer-offline',
      filename,
    )
  }, 120_000)

  afterAll(() => rm(project, { recursive: true, force: true }))

  test('is imported and required under every name it exports', async () => {
    await writeFile(join(project, 'esm.mjs'), modules.map((name) => `import '${name}'`).join('\n'))
    await writeFile(join(project, 'common.cjs'), modules.map((name) => `require('${name}')`).join('\n'))
    await inProject(process.execPath, 'esm.mjs')
    await inProject(process.execPath, 'common.cjs')
  })

  test('has types that compile from both module systems, strict, with library checks on', async () => {
    const esm = modules.map((name, index) => `import * as m${index} from '${name}'\nvoid m${index}`)
    const common = modules.map((name, index) => `import m${index} = require('${name}')\nvoid m${index}`)
    await writeFile(join(project, 'esm.ts'), esm.join('\n'))
    await writeFile(join(project, 'common.cts'), common.join('\n'))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023']
    const outcome = await inProject(
      process.execPath,
      tsc,
      ...options,
      ...types,
      'esm.ts',
      'common.cts',
    ).catch((error) => error)
    expect(outcome.stdout).toBe('')
  })

  test('runs the quick start of the README', async () => {
    for (const file of ['tasks.ts', 'worker.ts', 'producer.ts', 'reader.ts']) {
      await cp(join(root, 'examples/add', file), join(project, file))
    }
    const jiti = join(project, 'node_modules/.bin/jiti')
    const worker = spawn(jiti, ['worker.ts'], { cwd: project, env, stdio: 'ignore' })
    try {
      const id = (await inProject(jiti, 'producer.ts')).stdout.trim()
      expect((await inProject(jiti, 'reader.ts', id)).stdout).toBe('scheduled\n40\n')
    } finally {
      worker.kill('SIGKILL')
    }
  })

  test.each([
    ['redis://localhost', 'npm install ioredis@'],
    ['amqp://localhost', 'npm install amqplib@'],
  ])('tells how to get the package that %s needs', async (url, command) => {
    const asked = inProject(join(project, 'node_modules/.bin/millrace'), 'queues', '--url', url)
    await expect(asked).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(command) })
  })

  test('brings the millrace command', async () => {
    const { stdout } = await inProject(join(project, 'node_modules/.bin/millrace'), '--version')
    expect(stdout.trim()).toContain(version)
  })
})
