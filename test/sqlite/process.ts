import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./process.mjs', import.meta.url))

/** What a call in another process was refused with. */
export interface Refusal {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly retryable?: boolean
}

/** Another process with a backend on a URL; see process.mjs for what it can be asked. */
export interface Other extends AsyncDisposable {
  readonly child: ChildProcess
  call<T>(call: string, ...values: unknown[]): Promise<T>
  /** The error of a call that must fail. */
  refusal(call: string, ...values: unknown[]): Promise<Refusal>
}

/** Start one; `faketime` shifts its clock, such as `+1h`, and `uid` takes its rights. */
export async function startProcess(
  url: string,
  options: { faketime?: string; uid?: number } = {},
): Promise<Other> {
  const { faketime, uid } = options
  const preload = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
    .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path))
  const child = fork(script, [url], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...(faketime !== undefined && { LD_PRELOAD: preload, FAKETIME: faketime }) },
    ...(uid !== undefined && { uid, gid: uid }),
  })
  await once(child, 'message')

  async function ask(call: string, values: unknown[]): Promise<{ value?: unknown; error?: Refusal }> {
    child.send({ call, values })
    const [answer] = await once(child, 'message')
    return answer as { value?: unknown; error?: Refusal }
  }
  return {
    child,
    async call<T>(call: string, ...values: unknown[]) {
      const { value, error } = await ask(call, values)
      if (error) throw Object.assign(new Error(error.message), error)
      return value as T
    },
    async refusal(call, ...values) {
      const { error } = await ask(call, values)
      if (!error) throw new Error(`Expected "${call}" to be refused.`)
      return error
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
