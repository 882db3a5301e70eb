import { connect, createServer, type Server, type Socket } from 'node:net'

/** A network between a client and a server, which can be cut. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Reset every connection. */
  cut(): void
  /** Let nothing through any more, and say nothing, until it is let go. */
  freeze(frozen: boolean): void
  /** From now on what is sent arrives so many milliseconds later, each way. */
  slow(ms: number): void
}

export async function proxyTo(port: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let frozen = false
  let late = 0
  const server: Server = createServer((client) => {
    const target = connect(port, '127.0.0.1')
    const pair = [client, target] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [target, client] as const]) {
      from.on('data', (data) => {
        if (frozen) return
        if (late > 0) setTimeout(() => to.write(data), late)
        else to.write(data)
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  function cut() {
    for (const [client, target] of pairs) {
      client.resetAndDestroy()
      target.resetAndDestroy()
    }
  }
  return {
    port: (server.address() as { port: number }).port,
    cut,
    freeze(wanted) {
      frozen = wanted
    },
    slow(ms) {
      late = ms
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
