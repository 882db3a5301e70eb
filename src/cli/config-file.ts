import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../index.ts'
import { load } from './modules.ts'
import { SETTING_NAMES } from './settings.ts'
import { hint } from './suggest.ts'

/** A configuration file as it was found. */
export interface ConfigFile {
  readonly path: string
  readonly options: Readonly<Record<string, unknown>>
}

const NAMES = ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `millrace.config.${ending}`)

/**
 * The file that was named, else the first `millrace.config.*` in the working directory, if there is one.
 *
 * @throws UsageError UNKNOWN_OPTION with the nearest known name; INVALID_OPTION when it can't be loaded
 */
export async function findConfig(folder: string, named: string | undefined): Promise<ConfigFile | undefined> {
  const path = named === undefined ? await first(folder) : resolve(folder, named)
  if (path === undefined) return undefined
  const { default: options } = await load(path, 'the configuration')
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError('INVALID_OPTION', `Expected ${path} to export an object of options as its default.`)
  }
  for (const name of Object.keys(options)) {
    if ((SETTING_NAMES as readonly string[]).includes(name)) continue
    throw new UsageError(
      'UNKNOWN_OPTION',
      `${path} has no option ${JSON.stringify(name)}. ${hint(name, SETTING_NAMES)}`,
    )
  }
  return { path, options: options as Record<string, unknown> }
}

async function first(folder: string): Promise<string | undefined> {
  for (const name of NAMES) {
    const path = join(folder, name)
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  return undefined
}
