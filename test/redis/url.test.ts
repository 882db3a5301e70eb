import assert from 'node:assert/strict'
import { Cluster, Redis } from 'ioredis'
import { test } from 'vitest'
import { openBackend } from '../../src/drivers/open.ts'
import { redis } from '../../src/drivers/redis/index.ts'
import { check, plainOf, type RedisOptions, type Settings } from '../../src/drivers/redis/settings.ts'

const at = (host: string, port = 6379) => ({ host, port })
const none = { db: 0 }

/** What was read, by what was said. */
const read: [RedisOptions, Partial<Settings>][] = [
  [{}, { kind: 'server', hosts: [at('localhost')], connection: none, namespace: 'millrace', timeout: 8000 }],
  [{ url: 'redis://a' }, { kind: 'server', hosts: [at('a')], server: 'a:6379' }],
  [
    { url: 'redis://anna:s%40cret@a:7000/3?namespace=shop&timeout=500' },
    {
      hosts: [at('a', 7000)],
      connection: { username: 'anna', password: 's@cret', db: 3 },
      namespace: 'shop',
      timeout: 500,
    },
  ],
  [{ url: 'redis://:pw@[::1]:7000' }, { hosts: [at('::1', 7000)], connection: { password: 'pw', db: 0 } }],
  [{ url: 'rediss://a', tls: { ca: 'x' } }, { connection: { tls: { ca: 'x' }, db: 0 } }],
  [
    { url: 'redis+sentinel://u:pw@a:26380,b/mymaster/2?sentinelUsername=s&sentinelPassword=t' },
    {
      kind: 'sentinel',
      hosts: [at('a', 26380), at('b', 26379)],
      master: 'mymaster',
      connection: { username: 'u', password: 'pw', sentinelUsername: 's', sentinelPassword: 't', db: 2 },
    },
  ],
  [
    { url: 'rediss+sentinel://a/m' },
    { connection: { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true, db: 0 } },
  ],
  [
    { url: 'redis+cluster://a:1,b:2,c?namespace=shop' },
    {
      kind: 'cluster',
      hosts: [at('a', 1), at('b', 2), at('c')],
      server: 'a:1,b:2,c:6379',
      namespace: 'shop',
    },
  ],
  [{ url: 'rediss+cluster://a' }, { kind: 'cluster', connection: { tls: {}, db: 0 } }],
  [
    { sentinels: ['a', at('b', 1)], name: 'm', username: 'u', password: 'p', sentinelPassword: 's', db: 1 },
    {
      kind: 'sentinel',
      hosts: [at('a', 26379), at('b', 1)],
      master: 'm',
      connection: { username: 'u', password: 'p', sentinelPassword: 's', db: 1 },
    },
  ],
  [
    { nodes: ['a:1'], tls: true },
    { kind: 'cluster', hosts: [at('a', 1)], connection: { tls: {}, db: 0 } },
  ],
]

test('a place is named by a URL or by options', () => {
  for (const [given, expected] of read) {
    const settings = check(given)
    for (const [key, value] of Object.entries(expected))
      assert.deepEqual(settings[key as keyof Settings], value, `${key} of ${JSON.stringify(given)}`)
  }
})

const wrong: [RedisOptions, string][] = [
  [{ url: 'http://localhost' }, 'BAD_URL'],
  [{ url: 'redis://:s3cret@localhost/x' }, 'BAD_URL'],
  [{ url: 'redis://:s3cret@a,b' }, 'BAD_URL'],
  [{ url: 'redis://:s3cret@a:99999' }, 'BAD_URL'],
  [{ url: 'redis+sentinel://:s3cret@a' }, 'BAD_URL'],
  [{ url: 'redis+sentinel://:s3cret@a/m/0/1' }, 'BAD_URL'],
  [{ url: 'redis+cluster://:s3cret@a/1' }, 'INVALID_OPTION'],
  [{ url: 'redis://:s3cret@localhost?name=x' }, 'UNKNOWN_OPTION'],
  [{ url: 'redis://a?sentinelPassword=s3cret' }, 'UNKNOWN_OPTION'],
  [{ url: 'redis://a', nodes: ['b'] }, 'INVALID_OPTION'],
  [{ url: 'redis://a', tls: { ca: 'x' } }, 'INVALID_OPTION'],
  [{ url: 'rediss://a', tls: false }, 'INVALID_OPTION'],
  [{ sentinels: ['a'] }, 'INVALID_OPTION'],
  [{ sentinels: [], name: 'm' }, 'INVALID_OPTION'],
  [{ nodes: ['a:b'] }, 'INVALID_OPTION'],
  [{ nodes: ['a'], db: 1 }, 'INVALID_OPTION'],
  [{ nodes: ['a'], sentinelPassword: 's3cret' }, 'INVALID_OPTION'],
  [{ namespace: 'a}b' }, 'INVALID_OPTION'],
  [{ namespace: '' }, 'INVALID_OPTION'],
  [{ timeout: -1 }, 'INVALID_OPTION'],
  [{ url: 'redis://a?timeout=' }, 'INVALID_OPTION'],
  [{ shards: 0 }, 'INVALID_OPTION'],
  [{ shards: 1.5 }, 'INVALID_OPTION'],
  [{ client: {} }, 'INVALID_OPTION'],
]

test('options that do not fit are told at the call, by their code and without a password', () => {
  for (const [options, code] of wrong) {
    assert.throws(
      () => redis(options),
      (error: Error & { code?: string }) => error.code === code && !error.message.includes('s3cret'),
      JSON.stringify(options),
    )
  }
})

test('a client of ioredis says where, and is neither used nor closed', async () => {
  const lazy = { lazyConnect: true } as const
  const single = new Redis({ ...lazy, host: 'a', port: 1, username: 'u', password: 'p', db: 2 })
  const { hosts, kind, connection } = check({ client: single, namespace: 'shop' })
  assert.deepEqual([kind, hosts], ['server', [at('a', 1)]])
  assert.deepEqual([connection.username, connection.password, connection.db], ['u', 'p', 2])
  const watched = new Redis({ ...lazy, sentinels: [at('s', 2)], name: 'm', sentinelPassword: 't' })
  const sentinel = check({ client: watched })
  assert.deepEqual([sentinel.kind, sentinel.hosts, sentinel.master], ['sentinel', [at('s', 2)], 'm'])
  assert.equal(sentinel.connection.sentinelPassword, 't')
  const many = new Cluster([at('c', 3)], { ...lazy, redisOptions: { password: 'p', tls: { ca: 'x' } } })
  const cluster = check({ client: many })
  assert.deepEqual([cluster.kind, cluster.hosts], ['cluster', [at('c', 3)]])
  assert.deepEqual([cluster.connection.password, cluster.connection.tls], ['p', { ca: 'x' }])
  const prefixed = new Redis({ ...lazy, keyPrefix: 'x:' })
  assert.throws(() => redis({ client: prefixed }), { code: 'INVALID_OPTION', message: /namespace/ })
  assert.deepEqual([single.status, watched.status, many.status], ['wait', 'wait', 'wait'])
})

test('a helper thread gets what it can connect with, and never connects without TLS', () => {
  const client = new Redis({ lazyConnect: true, host: 'a', retryStrategy: () => 1 })
  const plain = plainOf(check({ client }))
  assert.equal(plain?.hosts[0]?.host, 'a')
  assert.deepEqual(structuredClone(plain), plain)
  const checked = { checkServerIdentity: () => undefined }
  assert.equal(plainOf(check({ url: 'rediss://a', tls: checked })), undefined)
})

test('every scheme is known to connect', async () => {
  for (const scheme of ['redis', 'rediss', 'redis+sentinel', 'rediss+cluster']) {
    await using backend = openBackend(`${scheme}://u:s3cret@127.0.0.1:1/x/y`)
    await assert.rejects(backend.records.counts(), { code: 'BAD_URL' })
  }
})
