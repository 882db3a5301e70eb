import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../index.ts'

/**
 * Import a module of the user's: JavaScript as Node does, TypeScript by jiti, without a build step.
 *
 * @param what - as messages call it: `the tasks`
 * @throws UsageError INVALID_OPTION when it isn't there or throws while it loads
 */
export async function load(file: string, what: string): Promise<Record<string, unknown>> {
  try {
    // Node 20 warns that to import JSON is experimental.
    if (extname(file) === '.json') return { default: JSON.parse(await readFile(file, 'utf8')) }
    if (['.js', '.mjs', '.cjs'].includes(extname(file))) return await import(pathToFileURL(file).href)
    const { createJiti } = await import('jiti')
    // Its cache lies in a folder of /tmp that other users of the machine could fill with their own code.
    const jiti = createJiti(file, { fsCache: false, interopDefault: false })
    return await jiti.import<Record<string, unknown>>(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError('INVALID_OPTION', `Can't load ${what} ${file}: ${brief(reason)}`, { cause })
  }
}

/** A parser says on its second line where. */
const brief = (message: string): string => message.split('\n').slice(0, 2).join(' ').replace(/\s+/g, ' ')
