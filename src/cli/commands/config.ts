import { inspect } from 'node:util'
import { redact } from '../../index.ts'
import { addSettings, examples } from '../help.ts'
import type { Register } from '../register.ts'
import { SETTING_NAMES, WORKER_SETTINGS } from '../settings.ts'
import { table } from '../table.ts'

/** Shows the options that hold, and where each came from. */
export const config: Register = (program, run) => {
  const parent = program
    .command('config')
    .summary('show the options that hold')
    .description('Show the options.')
  const print = parent
    .command('print')
    .summary('every option, its value, and where it came from')
    .description(
      'Print every option with the value that holds and where it came from. Passwords are left out. ' +
        'The name of an option is its key in the configuration file.',
    )
  addSettings(print, WORKER_SETTINGS)
    .addHelpText(
      'after',
      examples(
        ['millrace config print', 'what a command in this folder would go by'],
        ['MILLRACE_CONCURRENCY=20 millrace config print --json', 'the same as JSON: { file, options }'],
      ),
    )
    .action(
      run(async ({ output, settings }) => {
        const { settings: all, origins, file } = await settings()
        const options = SETTING_NAMES.map((name) => ({
          name,
          value: redacted(all[name]),
          from: origins[name],
        }))
        const data = {
          file: file ?? null,
          options: Object.fromEntries(
            options.map(({ name, value, from }) => [name, { value: value ?? null, from }]),
          ),
        }
        output.answer(data, () =>
          table(
            options,
            [
              { title: 'OPTION', of: ({ name }) => name },
              { title: 'VALUE', of: ({ value }) => valueText(value), least: 12 },
              { title: 'FROM', of: ({ from }) => from, least: 7 },
            ],
            output.columns,
            output.colors.dim,
          ),
        )
        return undefined
      }),
    )
}

const redacted = (value: unknown): unknown => (typeof value === 'string' ? redact(value) : value)

function valueText(value: unknown): string {
  if (value === undefined) return '-'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(', ')
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
