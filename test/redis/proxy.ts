import { connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server, which a test breaks. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Reset every connection now. */
  reset(): void
  /** From now on nothing comes through on these connections, and nobody is told. New ones work. */
  freeze(): void
  /** Nothing comes through on the next so many connections. */
  mute(next: number): void
  /** Reset each connection once the server has answered to the next `text` that is sent on it, the answer withheld. */
  loseAnswerTo(text: string): void
}

export async function openProxy(target: number): Promise<Proxy> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket; frozen: boolean }>()
  let losing: string | undefined
  let muted = 0

  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const pair = { near, far, frozen: muted-- > 0 }
    let withheld = false
    pairs.add(pair)
    near.on('data', (data) => {
      if (pair.frozen) return
      if (losing !== undefined && data.includes(losing)) {
        withheld = true
        losing = undefined
      }
      far.write(data)
    })
    far.on('data', (data) => {
      if (withheld) near.resetAndDestroy()
      else if (!pair.frozen) near.write(data)
    })
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const side of [near, far]) side.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    reset() {
      for (const { near } of pairs) near.resetAndDestroy()
    },
    freeze() {
      for (const pair of pairs) pair.frozen = true
    },
    mute(next) {
      muted = next
    },
    loseAnswerTo(text) {
      losing = text
    },
    async [Symbol.asyncDispose]() {
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
