import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { gather, unknownVariables } from '../../src/cli/sources.ts'
import { project } from './millrace.ts'

const empty = project()
const configured = project({
  'millrace.config.ts': `
    enum Size { Small = 4 }
    export default { url: 'sqlite:./from-file.db', concurrency: Size.Small, tasks: './tasks.ts', grace: '3s' }`,
  'millrace.config.json': '{ "concurrency": 1 }',
  'other.json': '{ "queues": { "mail": 3 }, "retry": { "attempts": 5 } }',
  'wrong.json': '{ "concurency": 1 }',
  'list.json': '[]',
  'broken.ts': 'export default {',
  'url.txt': 'sqlite:./secret.db\n',
})

afterAll(() => {
  empty.remove()
  configured.remove()
})

const of = (given: Partial<Parameters<typeof gather>[0]>) =>
  gather({ flags: {}, config: undefined, env: {}, folder: empty.folder, ...given })

describe('the options that hold', () => {
  test('are the defaults when nothing is said', async () => {
    const { settings, origins, file } = await of({})
    expect(settings).toMatchObject({ url: 'sqlite:./millrace.db', concurrency: 10, retry: 3, tasks: [] })
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
    expect(file).toBeUndefined()
  })

  test('are from flags, then variables, then the configuration, then the defaults; each says from where', async () => {
    const { settings, origins, file } = await of({
      folder: configured.folder,
      flags: { url: 'sqlite:./flag.db' },
      env: { MILLRACE_URL: 'sqlite:./variable.db', MILLRACE_GRACE: '9s', MILLRACE_LEASE: '' },
    })
    expect(settings).toMatchObject({
      url: 'sqlite:./flag.db',
      grace: '9s',
      concurrency: 4,
      lease: '15s',
      tasks: [join(configured.folder, 'tasks.ts')],
    })
    expect(origins).toMatchObject({
      url: '--url',
      grace: 'MILLRACE_GRACE',
      concurrency: 'millrace.config.ts',
      lease: 'default',
    })
    expect(file).toBe(join(configured.folder, 'millrace.config.ts'))
  })

  test('come from the file that is named instead of the one that is found', async () => {
    const { settings } = await of({ folder: configured.folder, env: { MILLRACE_CONFIG: 'other.json' } })
    expect(settings).toMatchObject({ queues: { mail: 3 }, retry: { attempts: 5 }, concurrency: 10 })
  })

  test('take a secret from a file, and not from two places', async () => {
    const env = { MILLRACE_URL_FILE: join(configured.folder, 'url.txt') }
    const { settings, origins } = await of({ env })
    expect([settings.url, origins.url]).toEqual(['sqlite:./secret.db', 'MILLRACE_URL_FILE'])
    await expect(of({ env: { ...env, MILLRACE_URL: 'memory:' } })).rejects.toThrow('not both')
  })

  test.each([
    ['MILLRACE_QUEUES', 'a,b', { queues: ['a', 'b'] }],
    ['MILLRACE_QUEUES', 'a=3,b', { queues: { a: 3, b: 1 } }],
    ['MILLRACE_TASKS', '/a.ts,/b.ts', { tasks: ['/a.ts', '/b.ts'] }],
    ['MILLRACE_RETRY', '5', { retry: 5 }],
    [
      'MILLRACE_RETRY',
      'attempts=4,backoff=fixed,from=1s,jitter=false',
      { retry: { attempts: 4, backoff: 'fixed', from: '1s', jitter: false } },
    ],
    ['MILLRACE_KEEP', 'succeeded=0,failed=1d', { keep: { succeeded: 0, failed: '1d' } }],
    ['MILLRACE_TIMEOUT', 'none', { timeout: false }],
    ['MILLRACE_PAYLOAD_LIMIT', '2000', { payloadLimit: 2000 }],
  ])('%s=%s is read as what it means', async (name, value, expected) => {
    expect((await of({ env: { [name]: value } })).settings).toMatchObject(expected)
  })

  test.each([
    [{ env: { MILLRACE_CONCURRENCY: 'ten' } }, 'Expected MILLRACE_CONCURRENCY to be a number, got "ten".'],
    [{ flags: { queues: 'a=x' } }, 'Expected --queues: the weight of a to be a number, got "x".'],
    [{ flags: { queues: 'a=1,__proto__=2' } }, undefined],
    [{ flags: { queues: 'a,mail:3' } }, 'For the weight 3 write mail=3; for a queue of that name, mail:3=1.'],
    [{ flags: { queues: 'mail:3=1,a:b' } }, undefined],
    [
      { env: { MILLRACE_RETRY: 'atempts=2' } },
      'MILLRACE_RETRY has no part "atempts". Did you mean "attempts"?',
    ],
    [{ env: { MILLRACE_URL_FILE: '/none' } }, "Can't read MILLRACE_URL_FILE: ENOENT"],
    [{ config: 'wrong.json' }, 'wrong.json has no option "concurency". Did you mean "concurrency"?'],
    [{ config: 'list.json' }, 'to export an object of options as its default'],
    [{ config: 'none.ts' }, "Can't load the configuration"],
    [{ config: 'broken.ts' }, "Can't load the configuration"],
  ])('that are wrong are refused by their name: %j', async (given, message) => {
    const answer = of({ folder: configured.folder, ...given })
    if (message === undefined) await expect(answer).resolves.toBeDefined()
    else await expect(answer).rejects.toThrow(message)
  })

  test('variables that nothing reads are found', () => {
    const known = [
      'MILLRACE_URL',
      'MILLRACE_URL_FILE',
      'MILLRACE_RESULTS',
      'MILLRACE_CONFIG',
      'MILLRACE_DEBUG',
    ]
    const env = Object.fromEntries([...known, 'MILLRACE_CONCURENCY'].map((name) => [name, 'x']))
    expect(unknownVariables(env).map(({ name }) => name)).toEqual(['MILLRACE_CONCURENCY'])
  })
})
