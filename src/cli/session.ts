import type { Command } from 'commander'
import { type App, connect } from '../index.ts'
import type { Output } from './output.ts'
import { SETTING_NAMES, type SettingName, type Settings, settingOf } from './settings.ts'
import { type Effective, gather } from './sources.ts'

/** What a command works with. */
export interface Session {
  readonly output: Output
  /** Aborts at Ctrl-C, and when nobody reads the answer any more. */
  readonly signal: AbortSignal
  /** The options that hold for this call. */
  settings(): Promise<Effective>
  /** The app that they describe; closed when the command ends. Only with `create` it makes a missing file. */
  open(options?: { readonly create: boolean }): Promise<{ app: App; settings: Settings }>
}

export interface OpenSession extends Session {
  close(): Promise<void>
}

export function createSession(command: Command, output: Output, signal: AbortSignal): OpenSession {
  let effective: Promise<Effective> | undefined
  let app: App | undefined
  const settings = () => {
    effective ??= gather({
      flags: flagsOf(command),
      config: command.optsWithGlobals().config,
      env: process.env,
      folder: process.cwd(),
    })
    return effective
  }
  return {
    output,
    signal,
    settings,
    async open({ create } = { create: false }) {
      const { settings: all } = await settings()
      const where = (url: string) => (create ? url : withoutCreating(url))
      const results = all.results === undefined ? {} : { results: where(all.results) }
      app ??= connect(where(all.url), { ...appOptions(all), ...results })
      return { app, settings: all }
    },
    async close() {
      await app?.close()
    },
  }
}

/** Who only looks, perhaps from the wrong folder, should not find a new and empty file. */
function withoutCreating(url: string): string {
  if (!/^sqlite:/i.test(url) || /[?&]create=/.test(url)) return url
  return `${url}${url.includes('?') ? '&' : '?'}create=false`
}

const appOptions = ({
  queue,
  priority,
  retry,
  timeout,
  expires,
  keep,
  payloadLimit,
  enqueueTimeout,
}: Settings) => ({
  queue,
  priority,
  retry,
  timeout,
  expires,
  keep,
  payloadLimit,
  enqueueTimeout,
  logger: false as const,
})

/** The settings that were given as flags. Flags of a command that are called like one mean one job. */
function flagsOf(command: Command): Partial<Record<SettingName, unknown>> {
  const given = command.optsWithGlobals()
  const named = SETTING_NAMES.filter(
    (name) => settingOf(name).flag && command.getOptionValueSourceWithGlobals(name) === 'cli',
  )
  return Object.fromEntries(named.map((name) => [name, given[name]]))
}
