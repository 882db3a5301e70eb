import { type Command, Option } from 'commander'
import { type SettingName, settingOf, variableOf } from './settings.ts'

/** Examples under a command's options: what it is typed as, and what that does. */
export const examples = (...lines: readonly (readonly [command: string, does: string])[]): string =>
  `\nExamples:\n${lines.map(([command, does]) => `  # ${does}\n  ${command}`).join('\n')}`

/** Adds the flags of settings, with their variables and defaults. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, about, otherwise, several } = settingOf(name)
    const shown = several || otherwise === undefined ? '' : `; default ${String(otherwise)}`
    // Where arguments follow, a flag must not take them for more of its values.
    const open = several && command.registeredArguments.length === 0
    const option = new Option(
      open ? flag!.replace('>', '...>') : flag!,
      `${about} (${variableOf(name)}${shown})`,
    )
    if (several && !open) option.argParser(append)
    command.addOption(option)
  }
  return command
}

/** Collects the values of a flag that may be given several times. */
export const append = (value: string, before: unknown): string[] => [
  ...(Array.isArray(before) ? before : []),
  value,
]
