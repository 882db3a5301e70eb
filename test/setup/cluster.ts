import { Redis } from 'ioredis'
import { freePort, type RedisServer, redisServer } from './redis.ts'
import { until } from './until.ts'

/** A Redis Cluster of a test's own. */
export interface RedisCluster extends AsyncDisposable {
  readonly url: string
  readonly masters: readonly RedisServer[]
  /** One of each master, in their order, if asked for. */
  readonly replicas: readonly RedisServer[]
  /** A connection to a node, for what only a test does. */
  admin(server: RedisServer): Redis
  /** Until every node says that all is well. */
  settled(): Promise<void>
}

const SLOTS = 16_384

/** Three masters that share the slots evenly, and a replica of each where that is asked for. */
export async function redisCluster({ replicas = false } = {}): Promise<RedisCluster> {
  const servers = await Promise.all(Array.from({ length: replicas ? 6 : 3 }, node))
  const admins = new Map<RedisServer, Redis>(
    servers.map((server) => [server, new Redis(server.url, { lazyConnect: true })]),
  )
  const admin = (server: RedisServer) => admins.get(server)!
  for (const client of admins.values()) {
    client.on('error', () => {})
    await client.connect()
  }
  const masters = servers.slice(0, 3)
  await Promise.all(
    masters.map((server, i) => {
      const from = Math.ceil((i * SLOTS) / 3)
      const to = Math.ceil(((i + 1) * SLOTS) / 3) - 1
      return admin(server).call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }),
  )
  for (const { port, busPort } of servers.slice(1))
    await admin(servers[0]!).call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)

  async function settled(): Promise<void> {
    await until(async () => {
      for (const server of servers) {
        const info = String(await admin(server).call('CLUSTER', 'INFO'))
        if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${servers.length}`))
          return false
      }
      return true
    })
  }

  await settled()
  for (const [i, replica] of servers.slice(3).entries()) {
    const master = String(await admin(masters[i]!).call('CLUSTER', 'MYID'))
    await until(() =>
      admin(replica)
        .call('CLUSTER', 'REPLICATE', master)
        .then(
          () => true,
          () => false,
        ),
    )
    await until(async () =>
      String(await admin(replica).info('replication')).includes('master_link_status:up'),
    )
  }
  return {
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    replicas: servers.slice(3),
    admin,
    settled,
    async [Symbol.asyncDispose]() {
      for (const client of admins.values()) client.disconnect()
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    },
  }
}

/** A free port may be taken by another test before the server has it. */
async function node(): Promise<RedisServer & { readonly busPort: number }> {
  for (let tries = 1; ; tries++) {
    const busPort = await freePort()
    try {
      const server = await redisServer(
        ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, '--cluster-node-timeout', '1000'],
      )
      return { ...server, busPort }
    } catch (error) {
      if (tries === 5) throw error
    }
  }
}
