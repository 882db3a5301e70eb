import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { redis } from '../../src/drivers/redis/index.ts'
import { prefixesOf, slotOf } from '../../src/drivers/redis/slot.ts'
import { seam } from '../../src/testing/index.ts'
import { type RedisCluster, redisCluster } from '../setup/cluster.ts'
import { work } from './crew.ts'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await redisCluster()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const singles = (prefix: string, count: number) =>
  seam.singles(prefix, count, { keep: { succeeded: 3_600_000, failed: 3_600_000 } })

test('a slot is computed as Redis does', async () => {
  const admin = cluster.admin(cluster.masters[0]!)
  for (const key of ['foo', '{a}b', 'x{}y', '{a', 'ä{ü}', '{shop#0}:j'])
    assert.equal(slotOf(key), await admin.call('CLUSTER', 'KEYSLOT', key), key)
})

test('shards lie on all nodes, as many on each', () => {
  for (const namespace of ['millrace', 'shop', 'a', 'prod'])
    for (const count of [3, 6, 12]) {
      const nodes = prefixesOf(namespace, count).map((prefix) => Math.floor((slotOf(prefix) * 3) / 16_384))
      for (const node of [0, 1, 2]) assert.equal(nodes.filter((each) => each === node).length, count / 3)
    }
})

test('jobs lie on every node and are all run, and a flow lies on one', async () => {
  await using backend = redis({ url: cluster.url, namespace: 'spread', shards: 3 })
  await using crew = await work(backend, 'wheel')
  await backend.submit([...singles('a', 300), seam.chord('f', 50)])
  await crew.ended(351)
  const kept = await Promise.all(
    cluster.masters.map(async (server) => {
      const admin = cluster.admin(server)
      const [key] = await admin.keys('{spread#*}:j')
      return key ? await admin.hkeys(key) : []
    }),
  )
  for (const ids of kept) assert.ok(ids.filter((id) => id.startsWith('a')).length > 60)
  assert.deepEqual(
    kept.map((ids) => ids.filter((id) => id.startsWith('f/')).length).sort((a, b) => a - b),
    [0, 0, 51],
  )
})

test('the number of shards is fixed by who comes first', async () => {
  await using first = redis({ url: cluster.url, namespace: 'fixed', shards: 3 })
  await first.submit(singles('a', 1))
  await using other = redis({ url: cluster.url, namespace: 'fixed', shards: 4 })
  await assert.rejects(other.submit(singles('b', 1)), { code: 'INVALID_OPTION', message: /shards: 3/ })
  await using none = redis({ url: cluster.url, namespace: 'fixed' })
  await assert.rejects(none.records.counts(), { code: 'INVALID_OPTION' })
  await using same = redis({ url: cluster.url, namespace: 'fixed', shards: 3 })
  assert.equal((await same.records.get(['a0']))[0]?.state, 'waiting')
})

test('a slot on its way to another node is waited for, and followed', async () => {
  await using backend = redis({ url: cluster.url, namespace: 'moving' })
  await backend.submit(singles('a', 50))
  const [prefix] = prefixesOf('moving', 1)
  const slot = slotOf(prefix!)
  const from = cluster.masters[Math.floor((slot * 3) / 16_384)]!
  const to = cluster.masters.find((server) => server !== from)!
  const [source, target] = [cluster.admin(from), cluster.admin(to)]
  const [sourceId, targetId] = await Promise.all(
    [source, target].map(async (admin) => String(await admin.call('CLUSTER', 'MYID'))),
  )
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId!)
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId!)
  const during = backend.submit(singles('b', 50))
  const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 1000)) as string[]
  await source.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
  for (const admin of [target, source]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId!)
  assert.ok((await during).every(({ status }) => status === 'accepted'))
  await using crew = await work(backend, 'wheel')
  await crew.ended(100)
})

test('a server that is no Cluster, or is one, is told', async () => {
  const node = cluster.masters[0]!
  await using single = redis({ url: node.url, namespace: 'shop' })
  await using other = redis({ url: node.url, namespace: 'a' })
  await using third = redis({ url: node.url, namespace: 'prod' })
  const told = await Promise.allSettled([single, other, third].map((backend) => backend.records.counts()))
  const reasons = told.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
  assert.ok(reasons.length > 0 && reasons.every((reason) => /redis\+cluster:/.test(reason)), reasons.join())
})
