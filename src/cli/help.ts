import { type Command, Option } from 'commander'
import { type SettingName, settingOf, variableOf } from './settings.ts'

/** Examples under a command's options: what it is typed as, and what that does. */
export const examples = (...lines: readonly (readonly [command: string, does: string])[]): string =>
  `\nExamples:\n${lines.map(([command, does]) => `  # ${does}\n  ${command}`).join('\n')}`

/** Adds the flags of settings, with their variables and defaults. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, about, otherwise, variadic } = settingOf(name)
    const shown = Array.isArray(otherwise) || otherwise === undefined ? '' : `; default ${String(otherwise)}`
    const option = new Option(
      variadic ? flag!.replace('>', '...>') : flag!,
      `${about} (${variableOf(name)}${shown})`,
    )
    command.addOption(option)
  }
  return command
}
