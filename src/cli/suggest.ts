import { Command } from 'commander'

/**
 * The known name that was most likely meant. Commander finds it, but tells it in its errors only; so flags,
 * commands, variables and keys of the configuration are all compared by the same rule.
 */
export function suggest(given: string, known: readonly string[]): string | undefined {
  const probe = new Command()
    .exitOverride()
    .configureOutput({ writeErr() {} })
    .helpCommand(false)
  for (const name of known) probe.command(name)
  try {
    probe.parse([given], { from: 'user' })
  } catch (error) {
    return /\(Did you mean (?:one of )?([^,?]+)/.exec((error as Error).message)?.[1]
  }
  return undefined
}

/** `Did you mean "x"?`, or all that there is. */
export function hint(given: string, known: readonly string[]): string {
  const meant = suggest(given, known)
  return meant ? `Did you mean ${JSON.stringify(meant)}?` : `Known are: ${known.join(', ')}.`
}
