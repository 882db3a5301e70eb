import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { UsageError } from '../index.ts'
import { findConfig } from './config-file.ts'
import { SETTING_NAMES, type SettingName, type Settings, settingOf, variableOf } from './settings.ts'

/** The options that hold, and where each came from. */
export interface Effective {
  readonly settings: Settings
  /** `--url`, `MILLRACE_URL`, `MILLRACE_URL_FILE`, `millrace.config.ts`, `default`. */
  readonly origins: Readonly<Record<SettingName, string>>
  /** The configuration file, if there is one. */
  readonly file: string | undefined
}

export interface Sources {
  /** What was given on the command line, by the setting's name. */
  readonly flags: Readonly<Partial<Record<SettingName, unknown>>>
  readonly config: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
}

interface Given {
  readonly value: unknown
  readonly origin: string
  readonly folder: string
}

/** `--no-tasks` is no value of `--tasks`. */
const isGiven = (flag: unknown): boolean => flag !== undefined && flag !== false

/**
 * Flags, then `MILLRACE_*`, then the configuration file, then the defaults.
 *
 * @throws UsageError INVALID_OPTION, UNKNOWN_OPTION
 */
export async function gather({ flags, config, env, folder }: Sources): Promise<Effective> {
  const file = await findConfig(folder, config ?? (env.MILLRACE_CONFIG || undefined))
  const settings: Record<string, unknown> = {}
  const origins: Record<string, string> = {}
  for (const name of SETTING_NAMES) {
    const { read, flag, otherwise } = settingOf(name)
    const given: Given | undefined =
      (isGiven(flags[name]) && { value: flags[name], origin: flag!.split(' ', 1)[0]!, folder }) ||
      (await fromVariable(name, env, folder)) ||
      (file && file.options[name] !== undefined
        ? {
            value: file.options[name],
            origin: relative(folder, file.path) || file.path,
            folder: dirname(file.path),
          }
        : undefined)
    settings[name] = given ? read(given.value, whereOf(given.origin, name), given.folder) : otherwise
    origins[name] = given?.origin ?? 'default'
  }
  return {
    settings: settings as unknown as Settings,
    origins: origins as Effective['origins'],
    file: file?.path,
  }
}

/** A variable that is set to nothing counts as not set. */
async function fromVariable(
  name: SettingName,
  env: Sources['env'],
  folder: string,
): Promise<Given | undefined> {
  const variable = variableOf(name)
  const value = env[variable] || undefined
  const secretFile = settingOf(name).secret ? env[`${variable}_FILE`] || undefined : undefined
  if (value !== undefined && secretFile !== undefined) {
    throw new UsageError('INVALID_OPTION', `Set ${variable} or ${variable}_FILE, not both.`)
  }
  if (secretFile === undefined) return value === undefined ? undefined : { value, origin: variable, folder }
  try {
    return { value: (await readFile(secretFile, 'utf8')).trim(), origin: `${variable}_FILE`, folder }
  } catch (cause) {
    throw new UsageError('INVALID_OPTION', `Can't read ${variable}_FILE: ${(cause as Error).message}`, {
      cause,
    })
  }
}

const whereOf = (origin: string, name: SettingName): string =>
  origin.startsWith('-') || origin.startsWith('MILLRACE_') ? origin : `"${name}" in ${origin}`

const OTHER_VARIABLES = ['MILLRACE_CONFIG', 'MILLRACE_DEBUG']

/** Variables that look like ours and that nothing reads: most likely mistyped. */
export function unknownVariables(env: Sources['env']): { name: string; known: readonly string[] }[] {
  const known = SETTING_NAMES.flatMap((name) => {
    const variable = variableOf(name)
    return settingOf(name).secret ? [variable, `${variable}_FILE`] : [variable]
  }).concat(OTHER_VARIABLES)
  return Object.keys(env)
    .filter((name) => name.startsWith('MILLRACE_') && !known.includes(name))
    .map((name) => ({ name, known }))
}
