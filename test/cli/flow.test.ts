import { chain, connect, type Failure, group, task } from 'millrace'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onTerminal, type Project, project, run } from './millrace.ts'

let here: Project

const step = task('step', (n: number) => n)
const bad = task('bad', { retry: 1 }, (n: number) => {
  if (n >= 0) throw new Error('bad \x1b[2J "thing"')
  return n
})
const sum = task('sum', (all: number[]) => all.length)
const alert = task('alert', ({ message }: Failure) => message)

beforeAll(async () => {
  here = project()
  const app = connect(`sqlite:${here.folder}/millrace.db`, { logger: false })
  const worker = app.worker({ tasks: [step, bad, sum, alert], signals: false })
  const done = worker.run()
  const flow = await app.enqueue(
    chain(group([step.with(1), chain(step.with(2), bad)]), sum.onError(alert), step).onError(alert),
    { id: 'album' },
  )
  const many = Array.from({ length: 40 }, (_, i) => (i === 30 ? bad : step).with(i))
  const wide = await app.enqueue(group(many), { id: 'wide' })
  await Promise.all([flow.settled(), wide.settled()])
  await worker.stop()
  await done
  await app.close()
})
afterAll(() => here.remove())

describe('millrace flow', () => {
  test('draws the tree with states, places and errors, also of what was not reached', async () => {
    const { code, stdout } = await run(here, ['flow', 'album'])
    expect(code).toBe(0)
    const lines = stdout.replace(/ {2}\d+(\.\d+)?m?s/g, '').split('\n')
    expect(lines.slice(0, 10)).toEqual([
      'album  failed',
      'chain of 3  failed',
      '├─ group of 2  failed',
      '│  ├─ step  succeeded  /0.0',
      '│  └─ chain of 2  failed',
      '│     ├─ step  succeeded  /0.1.0',
      '│     └─ bad  failed  /0.1.1  TASK_FAILED Error: bad \\x1b[2J "thing"',
      '├─ sum  skipped  because of /0.1.1',
      '│  └─ onError: alert  skipped  because of /0.1.1',
      '├─ step  skipped  because of /0.1.1',
    ])
  })

  test('shows of a wide group what went wrong, and counts the rest', async () => {
    const { stdout } = await run(here, ['flow', 'wide'])
    expect(stdout).toContain('bad  failed  /30')
    expect(stdout).toContain('and 20 more: 20 succeeded (--all shows them)')
    expect((await run(here, ['flow', 'wide', '--all'])).stdout.split('\n')).toHaveLength(43)
  })

  test('fits a terminal where there is room for the names', async () => {
    const { stdout } = await onTerminal(here, 50, ['flow', 'album', '--no-color'])
    expect(stdout).toContain('…')
    expect(Math.max(...stdout.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(50)
  })

  test('prints the graph for Graphviz and for Mermaid', async () => {
    const dot = (await run(here, ['flow', 'album', '--dot'])).stdout
    expect(dot).toMatch(/^digraph "album" \{\n[\s\S]*n2 \[label="bad\\nfailed"[\s\S]*n1 -> n2;[\s\S]*\}\n$/)
    expect(dot).toContain('[label="onError" style=dashed]')
    const mermaid = (await run(here, ['flow', 'album', '--mermaid'])).stdout
    expect(mermaid).toMatch(
      /^flowchart LR\n {2}n0\["step<br\/>succeeded"\]:::succeeded\n[\s\S]* {2}n1 --> n2\n/,
    )
    expect(mermaid).toContain('n3 -. onError .-> n4')
  })

  test('is one document with --json', async () => {
    const { tree, state } = JSON.parse((await run(here, ['flow', 'album', '--json'])).stdout)
    expect(state).toBe('failed')
    expect(tree.children[0].children[0]).toMatchObject({ kind: 'step', task: 'step', job: { result: 1 } })
  })

  test('says what an id is that is no flow, and job what is no job', async () => {
    expect((await run(here, ['flow', 'album/0.0'])).stderr).toContain('See: millrace job album/0.0')
    expect((await run(here, ['job', 'album'])).stderr).toContain('See: millrace flow album')
    expect((await run(here, ['flow', 'nobody'])).code).toBe(3)
  })

  test('is run again by retry, under a new id', async () => {
    const { code, stdout } = await run(here, ['retry', 'album', '--json'])
    expect(code).toBe(0)
    const { jobs } = JSON.parse(stdout)
    expect(jobs).toMatchObject([{ id: 'album', answer: 'waiting', as: expect.any(String) }])
    expect((await run(here, ['flow', jobs[0].as])).stdout).toMatch(/^\S+ {2}\w+ {2}retry of album$/m)
  })
})
